#include "dist/run_together.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "monitoring/check.h"
#include "tests/support/forwarding_ranks.h"

namespace stc::dist {
namespace {

// As NCCL: refuses tensors of the CPU, with its words. `meta` stands for the GPU.
class DeviceRanks : public test::ForwardingRanks {
 public:
  using ForwardingRanks::ForwardingRanks;
  int broadcasts = 0;

  void broadcast(at::Tensor tensor, int root) override {
    refuse(tensor);
    EXPECT_EQ(root, 0);
    ++broadcasts;
  }
  void all_reduce(at::Tensor tensor, ReduceOp) override { refuse(tensor); }
  std::function<void()> start_all_reduce(at::Tensor tensor, ReduceOp) override {
    refuse(tensor);
    return [] {};
  }
  at::Tensor all_gather(const at::Tensor& tensor) override { return refuse(tensor); }
  at::Tensor all_to_all(const at::Tensor& rows,
                        const std::vector<std::int64_t>&,
                        const std::vector<std::int64_t>&) override {
    return refuse(rows);
  }

 private:
  static at::Tensor refuse(const at::Tensor& tensor) {
    STC_CHECK(!tensor.is_cpu(), "No backend type associated with device type cpu");
    return tensor;
  }
};

// The state that a resumed training on GPUs gives to all ranks: weights on the device, counters on
// the host.
TEST(BroadcastState, EachTensorGoesOverTheRanksOfItsDevice) {
  run_ranks(3, [](Communicator& host_ranks) {
    DeviceRanks device_ranks(host_ranks);
    const double own = host_ranks.rank() + 7;
    const std::map<std::string, at::Tensor> state = {
        {"loss_scaler", at::full({3}, own, at::kDouble)},
        {"momentum.conv1.weight", at::empty({4, 3}, at::kMeta)},
        {"momentum.fc.bias", at::empty({4}, at::kMeta)},
        {"steps", at::full({1}, 10 * own, at::kLong)}};
    broadcast_state(host_ranks, device_ranks, state);
    EXPECT_EQ(device_ranks.broadcasts, 2);
    EXPECT_TRUE(at::equal(state.at("loss_scaler"), at::full({3}, 7, at::kDouble)));
    EXPECT_EQ(state.at("steps").item<std::int64_t>(), 70);
    EXPECT_THROW(device_ranks.broadcast(state.at("steps"), 0), Error);
  });
}

at::Tensor numbered(at::IntArrayRef shape, double first) {
  return at::arange(c10::multiply_integers(shape), at::kFloat).reshape(shape) + first;
}

// Rank 0 has read a checkpoint, whose tensors are contiguous; the others made theirs as the weights
// are.
TEST(BroadcastState, ValuesArriveInPlaceWhateverEachRanksMemoryFormat) {
  run_ranks(3, [](Communicator& ranks) {
    const auto own = numbered({4, 3, 2, 2}, 1000.0 * ranks.rank());
    for (const int contiguous_rank : {0, 1}) {
      const bool is_contiguous = ranks.rank() == contiguous_rank;
      const auto filters =
          own.clone(is_contiguous ? at::MemoryFormat::Contiguous : at::MemoryFormat::ChannelsLast);
      const auto transposed = own.flatten(1).t().clone(at::MemoryFormat::Preserve);
      broadcast_state(ranks, ranks, {{"filters", filters}, {"transposed", transposed}});
      EXPECT_TRUE(at::equal(filters, numbered({4, 3, 2, 2}, 0)));
      EXPECT_EQ(filters.is_contiguous(), is_contiguous);
      EXPECT_TRUE(at::equal(transposed, numbered({4, 12}, 0).t()));
    }
  });
}

}  // namespace
}  // namespace stc::dist
