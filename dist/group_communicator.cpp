#include "dist/group_communicator.h"

#include <ATen/ATen.h>
#include <unistd.h>

#include <exception>
#include <numeric>
#include <torch/csrc/distributed/c10d/ProcessGroup.hpp>

#include "dist/backends.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

using ProcessGroup = c10::intrusive_ptr<c10d::ProcessGroup>;

c10d::ReduceOp c10d_op(ReduceOp op) {
  switch (op) {
    case ReduceOp::kSum:
      return c10d::ReduceOp::SUM;
    case ReduceOp::kMax:
      return c10d::ReduceOp::MAX;
    default:
      return c10d::ReduceOp::MIN;
  }
}

// LibTorch 2.13 renamed two collectives. Both are called by the name that the LibTorch at hand has.

// `input` of all ranks, in rank order, into `output`. Group: c10d::ProcessGroup.
template <typename Group>
c10::intrusive_ptr<c10d::Work> all_gather_single(Group& group,
                                                 at::Tensor& output,
                                                 at::Tensor& input) {
  if constexpr (requires { group.all_gather_single(output, input); }) {
    return group.all_gather_single(output, input);
  } else {
    return group._allgather_base(output, input);
  }
}

// Block r of `input`, of input_rows[r] rows, to rank r.
template <typename Group>
c10::intrusive_ptr<c10d::Work> all_to_all_single(Group& group,
                                                 at::Tensor& output,
                                                 at::Tensor& input,
                                                 std::vector<std::int64_t>& output_rows,
                                                 std::vector<std::int64_t>& input_rows) {
  if constexpr (requires { group.all_to_all_single(output, input, output_rows, input_rows); }) {
    return group.all_to_all_single(output, input, output_rows, input_rows);
  } else {
    return group.alltoall_base(output, input, output_rows, input_rows);
  }
}

// NCCL takes channels_last too, in the order of memory, which another rank need not share.
void check_contiguous(const char* verb, const at::Tensor& tensor) {
  STC_CHECK(tensor.is_contiguous(),
            "{} of a tensor of shape {} and strides {}; expected a contiguous one",
            verb,
            tensor.sizes(),
            tensor.strides());
}

class GroupCommunicator : public Communicator {
 public:
  GroupCommunicator(const World& world,
                    at::Device device,
                    ProcessGroup group,
                    std::shared_ptr<CollectiveLog> log)
      : world_(world), device_(device), group_(std::move(group)), log_(std::move(log)) {}

  // While an error unwinds, the other ranks will not take part in an orderly end.
  ~GroupCommunicator() override {
    const auto backend = group_->getBackend(device_.type());
    if (std::uncaught_exceptions() > 0) {
      backend->abort();
    } else {
      backend->shutdown();
    }
  }

  int rank() const override { return world_.rank; }
  int size() const override { return world_.size; }
  int local_rank() const override { return world_.local_rank; }
  int local_size() const override { return world_.local_size; }
  std::string host() const override { return host_name(); }
  std::int64_t bytes_sent() const override { return log_->bytes(); }

  void all_reduce(at::Tensor tensor, ReduceOp op) override { start_all_reduce(tensor, op)(); }

  std::function<void()> start_all_reduce(at::Tensor tensor, ReduceOp op) override {
    check_contiguous("all_reduce", tensor);
    std::vector<at::Tensor> tensors = {tensor.detach()};
    c10d::AllreduceOptions options;
    options.reduceOp = c10d_op(op);
    return [work = group_->allreduce(tensors, options)] { work->wait(); };
  }

  void broadcast(at::Tensor tensor, int root) override {
    check_contiguous("broadcast", tensor);
    std::vector<at::Tensor> tensors = {tensor.detach()};
    c10d::BroadcastOptions options;
    options.rootRank = root;
    group_->broadcast(tensors, options)->wait();
  }

  at::Tensor all_gather(const at::Tensor& tensor) override {
    check_rows("all_gather", tensor);
    at::Tensor input = tensor.detach();
    std::vector<std::int64_t> shape = input.sizes().vec();
    shape[0] *= size();
    at::Tensor output = at::empty(shape, input.options());
    all_gather_single(*group_, output, input)->wait();
    return output;
  }

  at::Tensor all_to_all(const at::Tensor& rows,
                        const std::vector<std::int64_t>& send_rows,
                        const std::vector<std::int64_t>& receive_rows) override {
    check_blocks(rows, send_rows, receive_rows, size());
    at::Tensor input = rows.detach();
    std::vector<std::int64_t> shape = input.sizes().vec();
    shape[0] = std::accumulate(receive_rows.begin(), receive_rows.end(), std::int64_t{0});
    at::Tensor output = at::empty(shape, input.options());
    std::vector<std::int64_t> output_rows = receive_rows;
    std::vector<std::int64_t> input_rows = send_rows;
    all_to_all_single(*group_, output, input, output_rows, input_rows)->wait();
    return output;
  }

  void set_timeout(double seconds) override {
    group_->getBackend(device_.type())
        ->setTimeout(std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000)));
  }

  void barrier() override {
    c10d::BarrierOptions options;
    options.device = device_;
    group_->barrier(options)->wait();
  }

  ProcessGroup group() const { return group_; }
  std::shared_ptr<CollectiveLog> log() const { return log_; }

 private:
  const World world_;
  const at::Device device_;
  const ProcessGroup group_;
  const std::shared_ptr<CollectiveLog> log_;
};

}  // namespace

std::shared_ptr<Communicator> make_group_communicator(const World& world,
                                                      at::Device device,
                                                      c10::intrusive_ptr<c10d::Backend> backend,
                                                      std::shared_ptr<CollectiveLog> log) {
  auto group = c10::make_intrusive<c10d::ProcessGroup>(world.rank, world.size);
  constexpr auto kType = c10d::ProcessGroup::BackendType::CUSTOM;
  group->setBackend(device.type(), kType, make_recording_backend(std::move(backend), log, device));
  group->setDefaultBackend(kType);
  return std::make_shared<GroupCommunicator>(world, device, std::move(group), std::move(log));
}

c10::intrusive_ptr<c10d::ProcessGroup> process_group_of(Communicator& world) {
  const auto* group = dynamic_cast<GroupCommunicator*>(&world);
  return group == nullptr ? nullptr : group->group();
}

std::shared_ptr<CollectiveLog> collective_log_of(Communicator& world) {
  const auto* group = dynamic_cast<GroupCommunicator*>(&world);
  return group == nullptr ? nullptr : group->log();
}

void check_rows(const char* verb, const at::Tensor& tensor) {
  STC_CHECK(tensor.dim() >= 1 && tensor.is_contiguous(),
            "{} of a tensor of shape {} and strides {}; expected contiguous rows [n, ...]",
            verb,
            tensor.sizes(),
            tensor.strides());
}

void check_blocks(const at::Tensor& rows,
                  const std::vector<std::int64_t>& send_rows,
                  const std::vector<std::int64_t>& receive_rows,
                  int size) {
  check_rows("all_to_all", rows);
  const auto sum = std::accumulate(send_rows.begin(), send_rows.end(), std::int64_t{0});
  const auto ranks = static_cast<std::size_t>(size);
  STC_CHECK(send_rows.size() == ranks && receive_rows.size() == ranks && sum == rows.size(0),
            "all_to_all of {} rows over {} ranks: got {} blocks to send with {} rows in all and {} "
            "to receive",
            rows.size(0),
            size,
            send_rows.size(),
            sum,
            receive_rows.size());
}

std::string host_name() {
  char name[256] = "";
  gethostname(name, sizeof(name) - 1);
  return name;
}

}  // namespace stc::dist
