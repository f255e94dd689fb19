#include "launcher/training/step_status.h"

#include <gtest/gtest.h>

#include <csignal>
#include <vector>

#include "dist/collective_log.h"
#include "dist/group_communicator.h"

namespace stc::launcher {
namespace {

// What every rank comes to know where each has seen what `own` says.
std::vector<StepStatus> of_each_rank(const std::vector<StepStatus>& own) {
  std::vector<StepStatus> all(own.size());
  dist::run_ranks(static_cast<int>(own.size()), [&](dist::Communicator& world) {
    all[world.rank()] = of_all_ranks(world, own[world.rank()]);
    const auto calls = dist::collective_log_of(world)->totals();
    EXPECT_EQ(calls.size(), 1U);
    EXPECT_EQ(calls.at("all_reduce").calls, 1) << "one collective a step";
  });
  return all;
}

TEST(StepStatus, IsFineWhereAllRanksAre) {
  for (const auto& status : of_each_rank({{}, {}, {}})) {
    EXPECT_TRUE(status.finite);
    EXPECT_EQ(status.stop_signal, 0);
  }
}

TEST(StepStatus, OfOneRankReachesAll) {
  for (const auto& status : of_each_rank({{}, {false, 0}, {}})) {
    EXPECT_FALSE(status.finite);
    EXPECT_EQ(status.stop_signal, 0);
  }
  for (const auto& status : of_each_rank({{}, {}, {true, SIGTERM}})) {
    EXPECT_TRUE(status.finite);
    EXPECT_EQ(status.stop_signal, SIGTERM);
  }
}

TEST(StepStatus, OfSeveralSignalsAllTakeTheSame) {
  for (const auto& status : of_each_rank({{true, SIGUSR1}, {false, SIGTERM}, {}})) {
    EXPECT_FALSE(status.finite);
    EXPECT_EQ(status.stop_signal, SIGTERM);
  }
}

}  // namespace
}  // namespace stc::launcher
