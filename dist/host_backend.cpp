#include <ATen/core/ivalue.h>
#include <pthread.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "dist/backends.h"
#include "dist/rank_order_reduction.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

using Tensors = std::vector<at::Tensor>;
using WorkPointer = c10::intrusive_ptr<c10d::Work>;

Bytes bytes_of(const at::Tensor& tensor) {
  return {static_cast<std::byte*>(tensor.data_ptr()), tensor.nbytes()};
}

std::string describe(const at::Tensor& tensor) {
  return text("{} {}", c10::toString(tensor.scalar_type()), tensor.sizes());
}

void check_tensor(const char* verb, const at::Tensor& tensor) {
  STC_CHECK(tensor.defined(), "{} of an undefined tensor", verb);
  STC_CHECK(tensor.device().is_cpu(),
            "{} of {} on {}; these ranks share CPU tensors",
            verb,
            describe(tensor),
            tensor.device());
  STC_CHECK(tensor.is_contiguous(),
            "{} of {} with strides {}; pass a contiguous tensor",
            verb,
            describe(tensor),
            tensor.strides());
}

const at::Tensor& only(const char* verb, const Tensors& tensors) {
  STC_CHECK(tensors.size() == 1, "{} takes one tensor at a time, not {}", verb, tensors.size());
  check_tensor(verb, tensors[0]);
  return tensors[0];
}

ReduceOp our_op(const c10d::ReduceOp& op) {
  switch (static_cast<c10d::ReduceOp::RedOpType>(op)) {
    case c10d::ReduceOp::SUM:
      return ReduceOp::kSum;
    case c10d::ReduceOp::MAX:
      return ReduceOp::kMax;
    case c10d::ReduceOp::MIN:
      return ReduceOp::kMin;
    default:
      throw Error(Exit::kFailed, "all_reduce knows sum, max and min only");
  }
}

/// Cuts `whole` into blocks of rows; no sizes means equal blocks.
std::vector<Bytes> row_blocks(const char* verb,
                              const at::Tensor& whole,
                              const std::vector<std::int64_t>& rows,
                              int ranks) {
  const Bytes bytes = bytes_of(whole);
  const std::int64_t total = whole.size(0);
  std::vector<std::int64_t> counts = rows;
  if (counts.empty()) counts.assign(ranks, total / ranks);
  std::int64_t sum = 0;
  for (const std::int64_t count : counts) sum += count;
  STC_CHECK(sum == total && counts.size() == static_cast<std::size_t>(ranks),
            "{} of {}: the blocks of {} ranks have {} rows in all; expected {} rows for {} ranks",
            verb,
            describe(whole),
            counts.size(),
            sum,
            total,
            ranks);
  const std::size_t row_bytes = total == 0 ? 0 : bytes.size() / total;
  std::vector<Bytes> blocks;
  std::size_t start = 0;
  for (const std::int64_t count : counts) {
    blocks.push_back(bytes.subspan(start, count * row_bytes));
    start += count * row_bytes;
  }
  return blocks;
}

class HostWork : public c10d::Work {
 public:
  HostWork(int rank, c10d::OpType type, Tensors results)
      : Work(rank, type),
        results_(std::move(results)),
        future_(c10::make_intrusive<c10::ivalue::Future>(
            c10::ListType::create(c10::TensorType::get()))) {}

  Tensors result() override { return results_; }
  c10::intrusive_ptr<c10::ivalue::Future> getFuture() override { return future_; }

  // The future first: its callbacks (the log's time stamp) have run when wait() returns.
  void complete(const std::exception_ptr& error) {
    if (error) {
      future_->setError(error);
    } else {
      future_->markCompleted(c10::IValue(results_));
    }
    finish(error);
  }

 private:
  const Tensors results_;
  const c10::intrusive_ptr<c10::ivalue::Future> future_;
};

class HostBackend : public c10d::Backend {
 public:
  explicit HostBackend(std::unique_ptr<Transport> transport)
      : Backend(transport->rank(), transport->size()),
        transport_(std::move(transport)),
        thread_([this] { run(); }) {
    pthread_setname_np(thread_.native_handle(), "stc-collectives");
  }

  ~HostBackend() override { stop(); }

  const std::string getBackendName() const override { return "stc-host"; }
  void shutdown() override { stop(); }
  void abort() override { stop(); }
  void setTimeout(std::chrono::milliseconds timeout) override { transport_->set_timeout(timeout); }

  WorkPointer allreduce(Tensors& tensors, const c10d::AllreduceOptions& options) override {
    const at::Tensor tensor = only("all_reduce", tensors);
    STC_CHECK(can_reduce(tensor.scalar_type()),
              "all_reduce of {}; it knows Float, Double, Long, Int, Byte, BFloat16 and Half",
              describe(tensor));
    const ReduceOp op = our_op(options.reduceOp);
    return submit(c10d::OpType::ALLREDUCE, "all_reduce", {tensor}, [this, tensor, op] {
      all_reduce_in_rank_order(
          *transport_, tensor.data_ptr(), tensor.numel(), tensor.scalar_type(), op);
    });
  }

  WorkPointer broadcast(Tensors& tensors, const c10d::BroadcastOptions& options) override {
    const at::Tensor tensor = only("broadcast", tensors);
    const int root = static_cast<int>(options.rootRank);
    STC_CHECK(
        root >= 0 && root < size_, "broadcast from rank {}; ranks are 0 to {}", root, size_ - 1);
    return submit(c10d::OpType::BROADCAST, "broadcast", {tensor}, [this, tensor, root] {
      transport_->broadcast(bytes_of(tensor), root);
    });
  }

  WorkPointer allgather(std::vector<Tensors>& outputs,
                        Tensors& inputs,
                        const c10d::AllgatherOptions&) override {
    const at::Tensor input = only("all_gather", inputs);
    STC_CHECK(outputs.size() == 1 && outputs[0].size() == static_cast<std::size_t>(size_),
              "all_gather needs one output for each of {} ranks",
              size_);
    std::vector<Bytes> receive;
    for (const at::Tensor& output : outputs[0]) {
      check_tensor("all_gather", output);
      check_same_bytes(output, input, 1);
      receive.push_back(bytes_of(output));
    }
    return gather(c10d::OpType::ALLGATHER, input, outputs[0], std::move(receive));
  }

  WorkPointer _allgather_base(at::Tensor& output,
                              at::Tensor& input,
                              const c10d::AllgatherOptions&) override {
    check_tensor("all_gather", input);
    check_tensor("all_gather", output);
    check_same_bytes(output, input, size_);
    std::vector<Bytes> receive;
    for (int r = 0; r < size_; ++r) {
      receive.push_back(bytes_of(output).subspan(r * input.nbytes(), input.nbytes()));
    }
    return gather(c10d::OpType::_ALLGATHER_BASE, input, {output}, std::move(receive));
  }

  WorkPointer alltoall_base(at::Tensor& output,
                            at::Tensor& input,
                            std::vector<std::int64_t>& output_rows,
                            std::vector<std::int64_t>& input_rows,
                            const c10d::AllToAllOptions&) override {
    check_tensor("all_to_all", input);
    check_tensor("all_to_all", output);
    const auto out = row_blocks("all_to_all", input, input_rows, size_);
    const std::vector<ConstBytes> send(out.begin(), out.end());
    const auto receive = row_blocks("all_to_all", output, output_rows, size_);
    return submit(
        c10d::OpType::ALLTOALL_BASE, "all_to_all", {output}, [this, input, send, receive] {
          transport_->exchange(send, receive);
        });
  }

  WorkPointer barrier(const c10d::BarrierOptions&) override {
    return submit(c10d::OpType::BARRIER, "barrier", {}, [this] { transport_->barrier(); });
  }

 private:
  struct Operation {
    std::string name;
    std::function<void()> body;
    c10::intrusive_ptr<HostWork> work;
  };

  void check_same_bytes(const at::Tensor& output, const at::Tensor& input, int times) const {
    STC_CHECK(
        output.scalar_type() == input.scalar_type() && output.numel() == input.numel() * times,
        "all_gather of {} into {}; expected {} elements of the same type",
        describe(input),
        describe(output),
        input.numel() * times);
  }

  WorkPointer gather(c10d::OpType type,
                     const at::Tensor& input,
                     Tensors outputs,
                     std::vector<Bytes> receive) {
    return submit(
        type, "all_gather", std::move(outputs), [this, input, receive = std::move(receive)] {
          const std::vector<ConstBytes> send(size_, bytes_of(input));
          transport_->exchange(send, receive);
        });
  }

  WorkPointer submit(c10d::OpType type,
                     const char* verb,
                     Tensors results,
                     std::function<void()> body) {
    const std::string what = results.empty() ? "" : " of " + describe(results[0]);
    auto work = c10::make_intrusive<HostWork>(rank_, type, std::move(results));
    {
      const std::lock_guard lock(mutex_);
      STC_CHECK(!stopping_, "{} after the end of this world", verb);
      queue_.push_back({text("collective {}, {}{}", ++count_, verb, what), std::move(body), work});
    }
    wake_.notify_one();
    return work;
  }

  void run() {
    for (;;) {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      Operation operation = std::move(queue_.front());
      queue_.pop_front();
      lock.unlock();
      run_one(operation);
    }
  }

  void run_one(Operation& operation) {
    if (!failure_) {
      try {
        operation.body();
      } catch (const Error& error) {
        fail(error.exit(), operation.name, error.what());
      } catch (const std::exception& error) {
        fail(Exit::kFailed, operation.name, error.what());
      }
    }
    operation.work->complete(failure_);
  }

  void fail(Exit exit, const std::string& operation, const char* what) {
    failure_ =
        std::make_exception_ptr(Error(exit, text("rank {}: {}: {}", rank_, operation, what)));
    transport_->cancel();
  }

  // Collectives still in the queue fail: nobody waits for them any more.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      if (stopping_) return;
      stopping_ = true;
    }
    transport_->cancel();
    wake_.notify_one();
    thread_.join();
  }

  const std::unique_ptr<Transport> transport_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<Operation> queue_;
  std::int64_t count_ = 0;
  bool stopping_ = false;
  std::exception_ptr failure_;  // seen by the thread alone
  std::thread thread_;
};

}  // namespace

c10::intrusive_ptr<c10d::Backend> make_host_backend(std::unique_ptr<Transport> transport) {
  return c10::make_intrusive<HostBackend>(std::move(transport));
}

}  // namespace stc::dist
