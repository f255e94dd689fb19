#include "launcher/training/finite_guard.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <atomic>
#include <cmath>
#include <vector>

#include "dist/run_together.h"
#include "launcher/training/method.h"

namespace stc::launcher {
namespace {

using testing::HasSubstr;

NotFinite seen_by(int rank, double local, double norm) {
  return {.step = 7,
          .gradient_norm = norm,
          .losses = {{"total", 1 + local}, {"reconstruction0", 1.0}, {"local_distillation", local}},
          .samples = {10 * rank, 10 * rank + 1}};
}

// What is said when `local` is the loss of rank 1, of three.
std::string said_of(double local, double norm) {
  std::atomic<int> stopped = 0;
  testing::internal::CaptureStderr();
  dist::run_ranks(3, [&](dist::Communicator& world) {
    try {
      stop_not_finite(world, seen_by(world.rank(), world.rank() == 1 ? local : 0.5, norm));
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

TEST(FiniteGuard, SaysSoWhereTheGradientAloneIsNotFinite) {
  EXPECT_THAT(said_of(0.5, INFINITY), HasSubstr("rank 0: the gradient's norm is inf"));
}

TEST(StepOutcome, IsTheMeanOfItsMicroBatches) {
  const auto part = [](double loss, std::int64_t sample) {
    StepOutcome outcome;
    outcome.losses = {{"total", at::full({}, loss)}};
    outcome.samples = {sample, sample + 1};
    return outcome;
  };
  StepOutcome step;
  step.add(part(1, 0), 2);
  step.add(part(3, 10), 2);
  EXPECT_EQ(step.losses[0].second.item<double>(), 2);
  EXPECT_EQ(step.samples, (std::vector<std::int64_t>{0, 1, 10, 11}));
}

}  // namespace
}  // namespace stc::launcher
