#include "dist/run_together.h"

#include <gtest/gtest.h>

#include <atomic>

namespace stc::launcher {
namespace {

TEST(Agree, OneRanksErrorIsEverybodysExitCode) {
  std::atomic<int> stopped = 0;
  dist::run_ranks(3, [&](dist::Communicator& world) {
    try {
      dist::run_on_all_ranks(world, [&] {
        if (world.rank() == 1) throw Error(Exit::kBadData, "shard 3 is cut short");
      });
    } catch (const dist::ReportedError& error) {
      EXPECT_EQ(error.exit(), Exit::kBadData);
      ++stopped;
    }
  });
  EXPECT_EQ(stopped, 3);
}

TEST(Agree, GoesOnWhereNobodyFails) {
  std::atomic<int> ran = 0;
  dist::run_ranks(
      2, [&](dist::Communicator& world) { dist::run_on_all_ranks(world, [&] { ++ran; }); });
  EXPECT_EQ(ran, 2);
}

TEST(Agree, InAWorldOfOneTheErrorItselfIsThrown) {
  dist::run_ranks(1, [&](dist::Communicator& world) {
    try {
      dist::run_on_all_ranks(world, [] { throw Error(Exit::kUsage, "no such key"); });
      FAIL() << "went on";
    } catch (const Error& error) {
      EXPECT_STREQ(error.what(), "no such key");
    }
  });
}

}  // namespace
}  // namespace stc::launcher
