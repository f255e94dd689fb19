#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "launcher/training/optimizer.h"
#include "tests/support/devices.h"

namespace stc::launcher {
namespace {

void update(LossScaler& scaler, bool finite) {
  scaler.update(at::full({}, finite ? 1.0 : 0.0, scaler.state().options()));
}
double scale(const LossScaler& scaler) { return scaler.scale().item<double>(); }

/// The slow twin: the same rule with branches.
struct Rule {
  double scale = 65536;
  std::int64_t good = 0, skipped = 0;
  void update(bool finite) {
    if (!finite) {
      ++skipped;
      good = 0;
      scale = std::max(1.0, scale / 2);
      return;
    }
    skipped = 0;
    if (++good < 2000) return;
    good = 0;
    scale = std::min(16777216.0, scale * 2);
  }
};

class LossScalerOn : public test::OnDevice {};

TEST_P(LossScalerOn, HalvesWhenAStepIsSkippedAndDoublesAfterManyGoodOnes) {
  LossScaler scaler(true, device());
  const double first = scale(scaler);
  update(scaler, false);
  update(scaler, false);
  EXPECT_EQ(scale(scaler), first / 4);
  EXPECT_EQ(scaler.skipped().item<double>(), 2);
  for (int step = 0; step < 1999; ++step) update(scaler, true);
  EXPECT_EQ(scale(scaler), first / 4);
  EXPECT_EQ(scaler.skipped().item<double>(), 0);
  update(scaler, true);
  EXPECT_EQ(scale(scaler), first / 2);
}

TEST_P(LossScalerOn, IsTheRuleWithBranchesUpToBothEnds) {
  LossScaler scaler(true, device());
  Rule rule;
  const auto step = [&](bool finite) {
    update(scaler, finite);
    rule.update(finite);
    const auto state = scaler.state();
    EXPECT_EQ(state[0].item<double>(), rule.scale);
    EXPECT_EQ(state[1].item<double>(), static_cast<double>(rule.good));
    EXPECT_EQ(state[2].item<double>(), static_cast<double>(rule.skipped));
  };
  for (int i = 0; i < 20'001; ++i) step(i != 300);  // up to the largest scale
  EXPECT_EQ(rule.scale, 16777216);
  for (int i = 0; i < 30; ++i) step(false);  // down to 1
  EXPECT_EQ(rule.scale, 1);
}

TEST_P(LossScalerOn, GoesOnFromItsState) {
  LossScaler whole(true, device()), later(true, device());
  update(whole, false);
  for (int step = 0; step < 1500; ++step) update(whole, true);
  later.state().copy_(whole.state());
  for (int step = 0; step < 500; ++step) {
    update(whole, true);
    update(later, true);
  }
  EXPECT_EQ(scale(later), scale(whole));
  EXPECT_EQ(scale(later), scale(LossScaler(true, device())));
}

TEST_P(LossScalerOn, OffItLeavesTheLossAlone) {
  LossScaler scaler(false, device());
  update(scaler, false);
  EXPECT_EQ(scale(scaler), 1);
}

INSTANTIATE_TEST_SUITE_P(, LossScalerOn, test::kDevices, test::device_name);

}  // namespace
}  // namespace stc::launcher
