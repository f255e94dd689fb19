#include <c10/core/DeviceGuard.h>

#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "dist/backends.h"

namespace stc::dist {
namespace {

using Tensors = std::vector<at::Tensor>;
using WorkPointer = c10::intrusive_ptr<c10d::Work>;

std::int64_t bytes_of(const Tensors& tensors) {
  std::int64_t bytes = 0;
  for (const at::Tensor& tensor : tensors) bytes += static_cast<std::int64_t>(tensor.nbytes());
  return bytes;
}

// Asked on a thread of its own, which would otherwise look at GPU 0 and open a context there.
DeviceProgress progress_of(c10d::Work& work, at::Device device) {
  using State = DeviceProgress::State;
  const c10::DeviceGuard guard(device);
  if (!work.isCompleted()) return {State::kPending};
  if (!work.isSuccess()) return {State::kFailed};
  constexpr double kMillisecond = 1e-3;
  return {State::kComplete, kMillisecond * work.getDuration()};
}

class RecordingBackend : public c10d::Backend {
 public:
  RecordingBackend(c10::intrusive_ptr<c10d::Backend> inner,
                   std::shared_ptr<CollectiveLog> log,
                   at::Device device)
      : Backend(inner->getRank(), inner->getSize()),
        inner_(std::move(inner)),
        log_(std::move(log)),
        device_(device) {}

  const std::string getBackendName() const override { return inner_->getBackendName(); }
  void shutdown() override { inner_->shutdown(); }
  void abort() override { inner_->abort(); }
  void setTimeout(std::chrono::milliseconds timeout) override { inner_->setTimeout(timeout); }

  WorkPointer allreduce(Tensors& tensors, const c10d::AllreduceOptions& options) override {
    return record(
        "all_reduce", bytes_of(tensors), [&] { return inner_->allreduce(tensors, options); });
  }

  WorkPointer broadcast(Tensors& tensors, const c10d::BroadcastOptions& options) override {
    const std::int64_t bytes = options.rootRank == rank_ ? bytes_of(tensors) : 0;
    return record("broadcast", bytes, [&] { return inner_->broadcast(tensors, options); });
  }

  WorkPointer allgather(std::vector<Tensors>& outputs,
                        Tensors& inputs,
                        const c10d::AllgatherOptions& options) override {
    return record("all_gather", bytes_of(inputs), [&] {
      return inner_->allgather(outputs, inputs, options);
    });
  }

  WorkPointer _allgather_base(at::Tensor& output,
                              at::Tensor& input,
                              const c10d::AllgatherOptions& options) override {
    return record("all_gather", bytes_of({input}), [&] {
      return inner_->_allgather_base(output, input, options);
    });
  }

  WorkPointer alltoall_base(at::Tensor& output,
                            at::Tensor& input,
                            std::vector<std::int64_t>& output_rows,
                            std::vector<std::int64_t>& input_rows,
                            const c10d::AllToAllOptions& options) override {
    return record("all_to_all", bytes_of({input}), [&] {
      return inner_->alltoall_base(output, input, output_rows, input_rows, options);
    });
  }

  WorkPointer barrier(const c10d::BarrierOptions& options) override {
    return record("barrier", 0, [&] { return inner_->barrier(options); });
  }

 private:
  template <typename Call>
  WorkPointer record(const char* verb, std::int64_t bytes, Call call) {
    const std::int64_t number = log_->begin(verb, bytes);
    WorkPointer work = call();
    // A GPU's future is complete as soon as the work is queued on the stream.
    if (!device_.is_cpu()) {
      log_->watch(number, this, [work, device = device_] { return progress_of(*work, device); });
    } else {
      work->getFuture()->addCallback([log = log_, number](c10::ivalue::Future& future) {
        if (!future.hasError()) log->end(number);  // one that failed stays pending
      });
    }
    return work;
  }

  const c10::intrusive_ptr<c10d::Backend> inner_;
  const std::shared_ptr<CollectiveLog> log_;
  const at::Device device_;
};

}  // namespace

c10::intrusive_ptr<c10d::Backend> make_recording_backend(c10::intrusive_ptr<c10d::Backend> inner,
                                                         std::shared_ptr<CollectiveLog> log,
                                                         at::Device device) {
  return c10::make_intrusive<RecordingBackend>(std::move(inner), std::move(log), device);
}

}  // namespace stc::dist
