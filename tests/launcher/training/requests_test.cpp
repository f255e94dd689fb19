#include "launcher/training/requests.h"

#include <gtest/gtest.h>

#include <csignal>
#include <vector>

#include "dist/collective_log.h"
#include "dist/group_communicator.h"

namespace stc::launcher {
namespace {

// What every rank comes to know when each asks for what `own` says.
std::vector<Requests> of_each_rank(const std::vector<Requests>& own) {
  std::vector<Requests> all(own.size());
  dist::run_ranks(static_cast<int>(own.size()), [&](dist::Communicator& world) {
    all[world.rank()] = PendingRequests(world, own[world.rank()]).wait();
    if (world.size() == 1) return;
    const auto calls = dist::collective_log_of(world)->totals();
    EXPECT_EQ(calls.size(), 1U);
    EXPECT_EQ(calls.at("all_reduce").calls, 1) << "one collective per step";
  });
  return all;
}

TEST(Requests, OfNobodyAreNone) {
  for (const auto& requests : of_each_rank({{}, {}, {}})) EXPECT_FALSE(requests.any());
}

TEST(Requests, OfOneRankReachAll) {
  for (const auto& requests : of_each_rank({{}, {}, {SIGTERM, false}})) {
    EXPECT_EQ(requests.stop_signal, SIGTERM);
    EXPECT_FALSE(requests.save);
  }
  for (const auto& requests : of_each_rank({{0, true}, {}, {}})) {
    EXPECT_EQ(requests.stop_signal, 0);
    EXPECT_TRUE(requests.save);
  }
  EXPECT_EQ(of_each_rank({{SIGINT, true}})[0].stop_signal, SIGINT);
}

TEST(Requests, OfSeveralSignalsAllTakeTheSame) {
  for (const auto& requests : of_each_rank({{SIGUSR1, false}, {SIGTERM, true}, {}})) {
    EXPECT_EQ(requests.stop_signal, SIGTERM);
    EXPECT_TRUE(requests.save);
  }
}

// As a training on GPUs does: the next step's request is on its way before this one's is met.
TEST(Requests, ArriveInOrderWhenTheyAreMetAStepLater) {
  dist::run_ranks(3, [](dist::Communicator& world) {
    const auto own = [&](int step) { return Requests{world.rank() == step % 3 ? step : 0, false}; };
    PendingRequests before(world, own(1));
    for (int step = 2; step < 9; ++step) {
      PendingRequests now(world, own(step));
      EXPECT_EQ(before.wait().stop_signal, step - 1);
      before = now;
    }
    EXPECT_EQ(before.wait().stop_signal, 8);
  });
}

}  // namespace
}  // namespace stc::launcher
