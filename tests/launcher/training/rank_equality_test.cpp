#include "launcher/training/rank_equality.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <atomic>

#include "dist/run_together.h"

namespace stc::launcher {
namespace {

std::map<std::string, data::NamedTensors> state_of(int rank, int odd_rank) {
  const auto queue = at::arange(12, at::kFloat).reshape({4, 3});
  if (rank == odd_rank) queue[2][1].add_(1e-6);
  return {{"the weights", {{"w", at::ones({5})}}}, {"the queue", {{"queue", queue}}}};
}

TEST(RankEquality, PassesWhereAllAreEqual) {
  dist::run_ranks(3, [](dist::Communicator& world) {
    check_equal_on_all_ranks(world, 1000, state_of(world.rank(), -1));
  });
}

TEST(RankEquality, StopsAllRanksAndSaysWhatDiffers) {
  std::atomic<int> stopped = 0;
  testing::internal::CaptureStderr();
  dist::run_ranks(3, [&](dist::Communicator& world) {
    try {
      check_equal_on_all_ranks(world, 2000, state_of(world.rank(), 2));
    } catch (const dist::ReportedError&) {
      ++stopped;
    }
  });
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_EQ(stopped, 3);
  EXPECT_THAT(said, testing::HasSubstr("after step 2000"));
  EXPECT_THAT(said, testing::HasSubstr("the queue (checksum by rank:"));
  EXPECT_THAT(said, testing::Not(testing::HasSubstr("the weights")));
}

TEST(Checksum, SeesABit) {
  const auto values = at::zeros({1000});
  const auto before = checksum({{"a", values}});
  values[999].fill_(1e-30);
  EXPECT_NE(checksum({{"a", values}}), before);
}

}  // namespace
}  // namespace stc::launcher
