#include "launcher/training/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace stc::launcher {
namespace {

TEST(LearningRate, FollowsTheAuthorsScheduleOfStepTwo) {
  const ScheduleOptions options{5e-5, 0.001, 1100, 0.001, false};
  const auto at = [&](std::int64_t step) { return learning_rate(options, step, 44000, 64, 3471); };
  EXPECT_NEAR(at(0), 5.000e-08, 5e-12);
  EXPECT_NEAR(at(550), 2.501536e-05, 5e-12);
  EXPECT_NEAR(at(1099), 4.987781e-05, 5e-12);
  EXPECT_NEAR(at(1100), 4.992301e-05, 5e-12);
  EXPECT_NEAR(at(22000), 2.502500e-05, 5e-12);
  EXPECT_NEAR(at(43999), 5.000006e-08, 5e-14);
}

TEST(LearningRate, OfStepOneStaysWithinAnEpoch) {
  const ScheduleOptions options{0.03, 0, 0, 0.001, true};
  const auto at = [&](std::int64_t step) { return learning_rate(options, step, 2000, 10, 100); };
  EXPECT_EQ(at(0), 0.03);
  EXPECT_EQ(at(9), 0.03);
  EXPECT_NEAR(at(10), 0.03 * 0.5 * (1 + std::cos(std::numbers::pi / 200)), 1e-15);
  EXPECT_EQ(at(10), at(19));
}

TEST(LearningRate, WarmUpIsClippedToAShortRun) {
  const ScheduleOptions options{1, 0.001, 1100, 0.001, false};
  for (std::int64_t steps = 1; steps < 5; ++steps) {
    for (std::int64_t step = 0; step < steps; ++step) {
      const double rate = learning_rate(options, step, steps, 64, 3471);
      EXPECT_GT(rate, 0);
      EXPECT_LE(rate, 1);
    }
  }
}

}  // namespace
}  // namespace stc::launcher
