// Ranks as threads of this process.
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "dist/device.h"
#include "dist/gradient_reducer.h"
#include "dist/run_together.h"
#include "dist/transport.h"
#include "monitoring/check.h"
#include "tests/dist/world_checks.h"

namespace stc::dist {
namespace {

using testing::HasSubstr;

class WorldOfThreads : public testing::TestWithParam<std::tuple<int, WorldCheck>> {};

TEST_P(WorldOfThreads, Holds) {
  const auto& [ranks, check] = GetParam();
  run_ranks(ranks, [&body = check.body](Communicator& world) { body(world, at::kCPU); });
}

std::string name_of(const testing::TestParamInfo<std::tuple<int, WorldCheck>>& info) {
  const auto& [ranks, check] = info.param;
  return text("{}On{}", check.name, ranks);
}

INSTANTIATE_TEST_SUITE_P(Collectives,
                         WorldOfThreads,
                         testing::Combine(testing::Values(1, 2, 3, 4),
                                          testing::ValuesIn(collective_checks())),
                         name_of);

INSTANTIATE_TEST_SUITE_P(Gradients,
                         WorldOfThreads,
                         testing::Combine(testing::Values(1, 2, 3, 4),
                                          testing::ValuesIn(gradient_checks())),
                         name_of);

TEST(RunRanks, ReleasesTheOthersAndRethrowsTheFirstError) {
  std::atomic<int> released = 0;
  try {
    run_ranks(3, [&](Communicator& world) {
      world.barrier();
      if (world.rank() == 1) throw Error(Exit::kBadData, "shard 7 is torn");
      try {
        world.all_reduce(at::ones({10}));
      } catch (const Error& error) {
        EXPECT_EQ(error.exit(), Exit::kLostRank);
        EXPECT_THAT(error.what(), HasSubstr("all_reduce of Float [10]"));
        ++released;
        throw;
      }
    });
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "shard 7 is torn");
  }
  EXPECT_EQ(released, 2);
}

TEST(RunRanks, ARankLostDuringBackwardComesOutOfBackwardAsOurError) {
  std::atomic<bool> released = false;
  try {
    run_ranks(2, [&](Communicator& world) {
      const at::Tensor weight = at::ones({4}).set_requires_grad(true);
      GradientReducer reducer({{"weight", weight}}, world, {});
      if (world.rank() == 1) throw Error(Exit::kFailed, "out of memory");
      try {
        reducer.backward((weight * weight).sum());
      } catch (const Error& error) {
        released = error.exit() == Exit::kLostRank;
      }
    });
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "out of memory");
  }
  EXPECT_TRUE(released);
}

TEST(RunRanks, ShapesThatDifferBetweenRanksAreAnErrorNotAHang) {
  EXPECT_THROW(
      run_ranks(2, [](Communicator& world) { world.all_reduce(at::ones({3 + world.rank()})); }),
      Error);
}

TEST(ThreadTransport, SaysHowManyDidNotArriveInTime) {
  const auto transports = make_thread_transports(3, std::chrono::milliseconds(20));
  std::string message;
  try {
    transports[0]->barrier();
  } catch (const Error& error) {
    message = error.what();
    EXPECT_EQ(error.exit(), Exit::kLostRank);
  }
  EXPECT_THAT(message, HasSubstr("2 of 3 ranks did not arrive"));
}

TEST(Session, WithoutALauncherIsAWorldOfOne) {
  const Session session;
  EXPECT_EQ(session.world().launcher, "none");
  EXPECT_EQ(session.world().size, 1);
  EXPECT_GE(session.world().cores, 1);
  const auto world = make_communicator(session, at::kCPU, {});
  EXPECT_EQ(world->size(), 1);
}

TEST(ChooseDevice, RefusesUnknownDevices) {
  try {
    choose_device("tpu");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("expected cpu, cuda or auto"));
  }
}

// "cuda" where there is none, or a word that no rank knows.
TEST(ChooseDevice, WhatOneRankCannotNoRankChooses) {
  std::atomic<int> refused = 0;
  run_ranks(3, [&](Communicator& world) {
    EXPECT_TRUE(choose_device("cpu", world).is_cpu());
    try {
      choose_device(world.rank() == 1 ? "tpu" : "cpu", world);
    } catch (const ReportedError& error) {
      refused += error.exit() == Exit::kUsage;
    }
  });
  EXPECT_EQ(refused, 3);
}

}  // namespace
}  // namespace stc::dist
