#include "launcher/training/finite_guard.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <atomic>
#include <cmath>
#include <csignal>
#include <vector>

#include "dist/collective_log.h"
#include "dist/group_communicator.h"
#include "dist/run_together.h"

namespace stc::launcher {
namespace {

using testing::HasSubstr;

StepOutcome outcome_of(int rank, double local) {
  StepOutcome outcome;
  outcome.losses = {{"total", at::full({}, 1 + local)},
                    {"reconstruction0", at::full({}, 1.0)},
                    {"local_distillation", at::full({}, local)}};
  outcome.samples = {10 * rank, 10 * rank + 1};
  return outcome;
}

// What is said when `local` is the loss of rank 1, of three.
std::string said_of(double local, double norm) {
  std::atomic<int> stopped = 0;
  testing::internal::CaptureStderr();
  dist::run_ranks(3, [&](dist::Communicator& world) {
    const auto outcome = outcome_of(world.rank(), world.rank() == 1 ? local : 0.5);
    EXPECT_EQ(is_finite(norm, outcome), std::isfinite(norm) && world.rank() != 1);
    try {
      stop_not_finite(world, 7, norm, outcome, 0);
    } catch (const dist::ReportedError&) {
      ++stopped;
    }
  });
  EXPECT_EQ(stopped, 3);
  return testing::internal::GetCapturedStderr();
}

TEST(FiniteGuard, NamesStepRankLossAndSamplesOfTheRankThatDidIt) {
  const auto said = said_of(NAN, NAN);
  EXPECT_THAT(said, HasSubstr("step 7, rank 1: loss 'local_distillation' is not finite"));
  EXPECT_THAT(said, HasSubstr("samples 10, 11"));
}

TEST(FiniteGuard, SeesALossOfOneRankThatTheGradientDoesNotShow) {
  EXPECT_THAT(said_of(INFINITY, 0.3), HasSubstr("rank 1: loss 'local_distillation'"));
}

TEST(FiniteGuard, SaysSoWhereTheGradientAloneIsNotFinite) {
  EXPECT_THAT(said_of(0.5, INFINITY), HasSubstr("rank 0: the gradient's norm is inf"));
}

TEST(FiniteGuard, LetsFiniteNumbersPass) { EXPECT_TRUE(is_finite(0.3, outcome_of(0, 0.5))); }

TEST(StepOutcome, IsTheMeanOfItsMicroBatches) {
  StepOutcome step;
  step.add(outcome_of(0, 1), 2);
  step.add(outcome_of(1, 3), 2);
  EXPECT_EQ(step.losses[2].second.item<double>(), 2);
  EXPECT_EQ(step.samples, (std::vector<std::int64_t>{0, 1, 10, 11}));
}

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
