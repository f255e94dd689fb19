#include "dist/run_together.h"

#include <gtest/gtest.h>

#include <atomic>

namespace stc::dist {
namespace {

TEST(RunOnAllRanks, OneRanksErrorIsEverybodysExitCode) {
  std::atomic<int> stopped = 0;
  run_ranks(3, [&](Communicator& world) {
    try {
      run_on_all_ranks(world, [&] {
        if (world.rank() == 1) throw Error(Exit::kBadData, "shard 3 is cut short");
      });
    } catch (const ReportedError& error) {
      EXPECT_EQ(error.exit(), Exit::kBadData);
      ++stopped;
    }
  });
  EXPECT_EQ(stopped, 3);
}

TEST(RunOnAllRanks, ContinuesIfNoRankFails) {
  std::atomic<int> ran = 0;
  run_ranks(2, [&](Communicator& world) { run_on_all_ranks(world, [&] { ++ran; }); });
  EXPECT_EQ(ran, 2);
}

TEST(RunOnAllRanks, InAWorldOfOneTheErrorItselfIsThrown) {
  run_ranks(1, [&](Communicator& world) {
    try {
      run_on_all_ranks(world, [] { throw Error(Exit::kUsage, "no such key"); });
      FAIL() << "continued";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "no such key");
    }
  });
}

}  // namespace
}  // namespace stc::dist
