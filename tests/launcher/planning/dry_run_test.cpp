// The plan against what real ranks, as threads, hand to their collectives.
#include "launcher/planning/dry_run.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <map>
#include <mutex>

#include "dist/collective_log.h"
#include "dist/group_communicator.h"
#include "launcher/training/method.h"
#include "launcher/training/optimizer.h"

namespace stc::launcher {
namespace {

using Totals = std::map<std::string, std::pair<std::int64_t, std::int64_t>>;  // calls and bytes

class SameImages : public data::ImageLoader {
 public:
  explicit SameImages(std::int64_t batch) : batch_(batch) {}
  data::ImageBatch next() override {
    const auto images = at::randint(0, 256, {batch_, 3, 32, 32}, at::kByte);
    return {images, images.flip({3}).contiguous(), std::vector<std::int64_t>(batch_)};
  }
  std::int64_t corrupt_samples() const override { return 0; }
  std::int64_t epoch_size() const override { return 1000; }

 private:
  const std::int64_t batch_;
};

class SameClips : public data::ClipLoader {
 public:
  explicit SameClips(std::int64_t batch) : batch_(batch) {}
  data::ClipBatch next() override {
    return {at::randint(0, 256, {batch_, 2, 3, 64, 64}, at::kByte),
            at::rand({batch_, 2, 3, 64, 64}),
            std::vector<std::int64_t>(batch_)};
  }
  std::int64_t corrupt_samples() const override { return 0; }
  std::int64_t epoch_size() const override { return 1000; }

 private:
  const std::int64_t batch_;
};

PretrainOptions small_pretrain(int world) {
  PretrainOptions options;
  options.images.size = 32;
  options.spatial.queue_size = 64;
  options.batch_size = 2 * world;
  options.reducer.bucket_mib = 8;
  return options;
}

VideoTrainOptions small_train(int world) {
  VideoTrainOptions options;
  options.clips.size = 64;
  options.losses.coarse_radius = 1;
  options.losses.fine_radius = 2;
  options.losses.global_weight = 0;
  options.batch_size = world;
  return options;
}

std::unique_ptr<TrainingMethod> make_method(const PretrainOptions& options,
                                            dist::Communicator& world) {
  return launcher::make_method(
      options, world, at::kCPU, std::make_unique<SameImages>(options.batch_size / world.size()));
}

std::unique_ptr<TrainingMethod> make_method(const VideoTrainOptions& options,
                                            dist::Communicator& world) {
  return launcher::make_method(
      options, world, at::kCPU, std::make_unique<SameClips>(options.batch_size / world.size()));
}

Totals of(const dist::CollectiveLog& log) {
  Totals totals;
  for (const auto& [verb, total] : log.totals()) totals[verb] = {total.calls, total.bytes};
  return totals;
}

Totals operator-(Totals later, const Totals& earlier) {
  for (const auto& [verb, total] : earlier) {
    later[verb].first -= total.first;
    later[verb].second -= total.second;
    if (later[verb].first == 0) later.erase(verb);
  }
  return later;
}

/// What each rank hands to collectives in its third step.
template <typename Options>
std::vector<Totals> counted(const Options& options, int ranks) {
  std::vector<Totals> all;
  std::mutex mutex;
  dist::run_ranks(ranks, [&](dist::Communicator& world) {
    const auto method = make_method(options, world);
    dist::GradientReducer reducer(method->parameters(), world, options.reducer);
    const auto log = dist::collective_log_of(world);
    Totals before;
    for (int step = 0; step < 3; ++step) {
      before = of(*log);
      method->fetch({step, 0});
      const auto outcome = method->forward({step, 0});
      reducer.zero();
      reducer.backward(outcome.total);
      method->after_backward();
    }
    const std::lock_guard lock(mutex);
    all.push_back(of(*log) - before);
  });
  return all;
}

Totals planned(const DryRun& plan) {
  Totals totals;
  for (const Traffic& line : plan.traffic) {
    totals[line.collective].first += line.calls;
    totals[line.collective].second += line.bytes;
  }
  return totals;
}

class DryRunOf : public testing::TestWithParam<int> {};

TEST_P(DryRunOf, PretrainCountsWhatRealRanksHandToCollectives) {
  const auto options = small_pretrain(GetParam());
  const auto plan = dry_run(options, GetParam());
  EXPECT_THAT(counted(options, GetParam()), testing::Each(planned(plan)));
  EXPECT_EQ(planned(plan).at("all_to_all"), std::make_pair(1L, 2L * 3 * 32 * 32));
  EXPECT_EQ(planned(plan).at("all_gather"), std::make_pair(1L, 2L * 128 * 4));
}

TEST_P(DryRunOf, TrainCountsWhatRealRanksHandToCollectives) {
  const auto options = small_train(GetParam());
  const auto plan = dry_run(options, GetParam());
  EXPECT_THAT(counted(options, GetParam()), testing::Each(planned(plan)));
  EXPECT_GT(planned(plan).at("all_reduce").second, plan.memory.gradients);
}

INSTANTIATE_TEST_SUITE_P(Worlds, DryRunOf, testing::Values(2, 4));

TEST(DryRun, BucketsHoldAllGradientsAndComeInTheOrderOfBackward) {
  const auto plan = dry_run(small_pretrain(2), 2);
  double bytes = 0, last = 0;
  for (const Bucket& bucket : plan.buckets) {
    bytes += bucket.bytes;
    EXPECT_GE(bucket.ready, last);
    last = bucket.ready;
  }
  EXPECT_GT(plan.buckets.size(), 3U);
  EXPECT_EQ(bytes, static_cast<double>(plan.memory.gradients));
  EXPECT_EQ(plan.memory.gradients, plan.memory.parameters);
  EXPECT_EQ(plan.memory.queue, 64 * 128 * 4 + 8);
}

TEST(DryRun, OfAnyBatchIsALineThroughTwoSmallOnes) {
  auto options = small_pretrain(2);
  options.batch_size = 2 * 8;
  const auto measured = dry_run(options, 2);
  const auto scaled = scaled_dry_run(options, 2);
  EXPECT_EQ(planned(scaled), planned(measured));
  EXPECT_EQ(scaled.batch, 8);
  EXPECT_NEAR(static_cast<double>(scaled.memory.activations),
              static_cast<double>(measured.memory.activations),
              0.01 * static_cast<double>(measured.memory.activations));
}

TEST(DryRun, DoesNotDependOnTheWorldAtTheSameShareOfTheBatch) {
  const auto few = dry_run(small_pretrain(2), 2);
  auto options = small_pretrain(512);
  options.spatial.queue_size = 1024;
  const auto many = dry_run(options, 512);
  EXPECT_EQ(planned(few), planned(many));
}

}  // namespace
}  // namespace stc::launcher
