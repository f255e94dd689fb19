#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "launcher/training/method.h"
#include "launcher/training/training_step.h"
#include "tests/support/forwarding_ranks.h"

namespace stc::launcher {
namespace {

/// A group of its own beside the world: counts what goes over it.
class OwnGroup : public test::ForwardingRanks {
 public:
  using ForwardingRanks::ForwardingRanks;
  int sums = 0;

  void all_reduce(at::Tensor tensor, dist::ReduceOp op) override {
    ++sums;
    ranks_.all_reduce(std::move(tensor), op);
  }
};

/// A clip for each rank, the same in every run.
class OwnClip : public data::ClipLoader {
 public:
  explicit OwnClip(int rank) {
    const auto index = at::arange(2 * 3 * 64 * 64, at::kFloat).reshape({1, 2, 3, 64, 64});
    const auto lab = at::sin(index * 0.37 + rank);
    batch_ = {(lab * 127 + 128).to(at::kByte), lab, {rank}};
  }
  data::ClipBatch next() override { return batch_; }
  std::int64_t corrupt_samples() const override { return 0; }
  std::int64_t epoch_size() const override { return 2; }

 private:
  data::ClipBatch batch_;
};

VideoTrainOptions small_train() {
  VideoTrainOptions options;
  options.clips.size = 64;
  options.losses.coarse_radius = 1;
  options.losses.fine_radius = 2;
  options.losses.global_weight = 0;
  options.batch_size = 2;
  return options;
}

/// Weights after two steps, with the method's sums over `method_ranks` and gradients over `world`.
data::NamedTensors trained(dist::Communicator& method_ranks, dist::Communicator& world) {
  const auto options = small_train();
  const auto method =
      make_method(options, method_ranks, at::kCPU, std::make_unique<OwnClip>(world.rank()));
  TrainingStep training_step(*method, step_options(options), world, world);
  for (int step = 0; step < 2; ++step) training_step.run(step, /*learning_rate=*/1e-3);
  return method->backbone_state();
}

// On GPUs, where behind the gradients they would wait for whole buckets.
TEST(TemporalMethod, ItsOwnSumsGoOverItsOwnRanksAndNoNumberChanges) {
  dist::run_ranks(2, [](dist::Communicator& world) {
    OwnGroup own(world);
    const auto expected = trained(world, world);
    const auto got = trained(own, world);
    // Forward and backward of the fifteen batch norms of ResNet-18 up to stage 3, in two steps.
    EXPECT_GE(own.sums, 2 * 2 * 15);
    for (const auto& [name, tensor] : expected)
      EXPECT_TRUE(at::equal(tensor, got.at(name))) << name;
  });
}

}  // namespace
}  // namespace stc::launcher
