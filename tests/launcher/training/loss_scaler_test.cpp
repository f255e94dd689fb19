#include "launcher/training/optimizer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace stc::launcher {
namespace {

TEST(LossScaler, HalvesWhereAStepIsSkippedAndDoublesAfterManyGoodOnes) {
  LossScaler scaler(true);
  const double first = scaler.scale();
  scaler.update(false);
  scaler.update(false);
  EXPECT_EQ(scaler.scale(), first / 4);
  EXPECT_EQ(scaler.skipped(), 2);
  for (int step = 0; step < 1999; ++step) scaler.update(true);
  EXPECT_EQ(scaler.scale(), first / 4);
  EXPECT_EQ(scaler.skipped(), 0);
  scaler.update(true);
  EXPECT_EQ(scaler.scale(), first / 2);
}

TEST(LossScaler, GoesOnFromItsState) {
  LossScaler whole(true), later(true);
  whole.update(false);
  for (int step = 0; step < 1500; ++step) whole.update(true);
  later.load(whole.state());
  for (int step = 0; step < 500; ++step) {
    whole.update(true);
    later.update(true);
  }
  EXPECT_EQ(later.scale(), whole.scale());
  EXPECT_EQ(later.scale(), LossScaler(true).scale());
}

TEST(LossScaler, OffItLeavesTheLossAlone) {
  LossScaler scaler(false);
  scaler.update(false);
  EXPECT_EQ(scaler.scale(), 1);
}

}  // namespace
}  // namespace stc::launcher
