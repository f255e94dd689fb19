#include "dist/run_together.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "monitoring/check.h"

namespace stc::dist {
namespace {

// As NCCL: refuses tensors of the CPU, with its words. `meta` stands for the GPU.
class DeviceRanks : public Communicator {
 public:
  explicit DeviceRanks(Communicator& ranks) : ranks_(ranks) {}
  int broadcasts = 0;

  void broadcast(at::Tensor tensor, int root) override {
    refuse(tensor);
    EXPECT_EQ(root, 0);
    ++broadcasts;
  }
  void all_reduce(at::Tensor tensor, ReduceOp) override { refuse(tensor); }
  at::Tensor all_gather(const at::Tensor& tensor) override { return refuse(tensor); }
  at::Tensor all_to_all(const at::Tensor& rows,
                        const std::vector<std::int64_t>&,
                        const std::vector<std::int64_t>&) override {
    return refuse(rows);
  }
  int rank() const override { return ranks_.rank(); }
  int size() const override { return ranks_.size(); }
  int local_rank() const override { return ranks_.local_rank(); }
  int local_size() const override { return ranks_.local_size(); }
  std::string host() const override { return ranks_.host(); }
  std::int64_t bytes_sent() const override { return 0; }
  void barrier() override { ranks_.barrier(); }
  void set_timeout(double) override {}

 private:
  static at::Tensor refuse(const at::Tensor& tensor) {
    STC_CHECK(!tensor.is_cpu(), "No backend type associated with device type cpu");
    return tensor;
  }

  Communicator& ranks_;
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

TEST(BroadcastState, FillsWeightsInChannelsLastInPlace) {
  run_ranks(2, [](Communicator& ranks) {
    const auto values = at::arange(2 * 3 * 2 * 2, at::kFloat).reshape({2, 3, 2, 2});
    const auto own = ranks.is_root() ? values : at::zeros_like(values);
    const auto weight = own.clone(at::MemoryFormat::ChannelsLast);
    broadcast_state(ranks, ranks, {{"conv1.weight", weight}});
    EXPECT_TRUE(at::equal(weight, values));
    EXPECT_TRUE(weight.is_contiguous(at::MemoryFormat::ChannelsLast));
  });
}

}  // namespace
}  // namespace stc::dist
