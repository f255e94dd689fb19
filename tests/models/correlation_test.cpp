#include "models/correlation.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/dense_correlation.h"
#include "tests/support/devices.h"

namespace stc::models {
namespace {

constexpr std::int64_t kBatch = 2, kChannels = 5, kHeight = 16, kWidth = 24, kRadius = 4;

at::Tensor random_values() { return at::randn({kBatch, kHeight, kWidth}, at::kDouble); }

auto same(const at::Tensor& own, const at::Tensor& expected) {
  return test::close(own, expected, 1e-10, 1e-12);
}

// The slow twin: whole maps [B, HW, HW], on the CPU.
class WindowedCorrelationBesideDense : public test::OnDeviceAnd<MapStorage> {
 protected:
  static at::Tensor features() {
    return at::randn({kBatch, kChannels, kHeight, kWidth}, at::kDouble).requires_grad_();
  }
  void SetUp() override {
    test::OnDeviceAnd<MapStorage>::SetUp();
    if (IsSkipped()) return;
    own_target_ = leaf(target_);
    own_reference_ = leaf(reference_);
  }
  WindowedCorrelation correlation() const {
    return {own_target_, own_reference_, kRadius, std::get<1>(GetParam())};
  }
  at::Tensor dense() const { return test::dense_correlation(target_, reference_, window_); }
  // [B, H, W] from a scalar of each row.
  static at::Tensor cells(const at::Tensor& rows) { return rows.view({kBatch, kHeight, kWidth}); }

  void expect_same_gradients(const at::Tensor& own, const at::Tensor& expected) {
    EXPECT_TRUE(test::close(own, expected, 1e-12, 1e-13));
    own.backward();
    expected.backward();
    EXPECT_TRUE(same(own_target_.grad(), target_.grad()));
    EXPECT_TRUE(same(own_reference_.grad(), reference_.grad()));
  }

  const at::Tensor target_ = features(), reference_ = features();
  at::Tensor own_target_, own_reference_;  // on the device
  const at::Tensor window_ = test::dense_window(kHeight, kWidth, kRadius);
};

TEST_P(WindowedCorrelationBesideDense, RebuildsTheSameValuesWithTheSameGradients) {
  const auto values = random_values(), weight = random_values();
  const auto expected = cells(at::bmm(dense(), values.flatten(1).unsqueeze(-1)));
  const auto own = correlation().rebuild(leaf(values));
  expect_same_gradients((own * leaf(weight)).sum(), (expected * weight).sum());
}

TEST_P(WindowedCorrelationBesideDense, HasTheSameEntropyAndScores) {
  const auto own = correlation();
  const auto map = dense().detach();
  const auto entropy = -at::xlogy(map, map).sum(-1);
  EXPECT_NEAR(own.mean_entropy().item<double>(), entropy.mean().item<double>(), 1e-12);
  EXPECT_TRUE(same(own.scores(ScoredRows::kOwn, RowScore::kEntropy), cells(entropy)));
  const auto negative_log_sum = (-(map + 1e-12).log() * window_).sum(-1);
  EXPECT_TRUE(
      same(own.scores(ScoredRows::kOwn, RowScore::kNegativeLogSum), cells(negative_log_sum)));
}

// As the authors correlate: a window of (2 r + 1)^2 products for every cell, those outside the
// frame 0.
TEST_P(WindowedCorrelationBesideDense, ScoresUnscaledProductsInAPaddedFrame) {
  const auto dots =
      at::einsum("bci,bcj->bij", {target_.flatten(2), reference_.flatten(2)}).detach();
  const auto inside = dots.exp() * window_;
  const auto outside = (2 * kRadius + 1) * (2 * kRadius + 1) - window_.sum(-1);
  const auto all = inside.sum(-1) + outside;
  const auto map = inside / all.unsqueeze(-1);
  const auto entropy = -at::xlogy(map, map).sum(-1);
  const auto negative_log_sum =
      (-(map + 1e-12).log() * window_).sum(-1) - outside * (1 / all + 1e-12).log();
  const auto own = correlation();
  EXPECT_TRUE(same(own.scores(ScoredRows::kUnscaledPadded, RowScore::kEntropy), cells(entropy)));
  EXPECT_TRUE(same(own.scores(ScoredRows::kUnscaledPadded, RowScore::kNegativeLogSum),
                   cells(negative_log_sum)));
}

TEST_P(WindowedCorrelationBesideDense, DistanceToAPooledMapOfTwiceTheCellsIsTheSame) {
  const auto fine_features = [] {
    return at::randn({kBatch, kChannels, 2 * kHeight, 2 * kWidth}, at::kDouble);
  };
  const auto fine_target = fine_features(), fine_reference = fine_features();
  const WindowedCorrelation fine(
      leaf(fine_target), leaf(fine_reference), 2 * kRadius, MapStorage::kRecomputed);
  const auto fine_values = leaf(at::randn({kBatch, 2 * kHeight, 2 * kWidth}, at::kDouble));
  const auto [rebuilt, pooled] = fine.rebuild_and_pool(fine_values);
  EXPECT_TRUE(at::equal(rebuilt, fine.rebuild(fine_values)));

  const auto fine_window = test::dense_window(2 * kHeight, 2 * kWidth, 2 * kRadius);
  const auto goal = test::dense_correlation(fine_target, fine_reference, fine_window)
                        .view({kBatch, kHeight, 2, kWidth, 2, kHeight, 2, kWidth, 2})
                        .mean({2, 4, 6, 8})
                        .view({kBatch, kHeight * kWidth, kHeight * kWidth});
  const auto weight = random_values();
  const auto squares = cells((dense() - 4 * goal).square().sum(-1));
  expect_same_gradients(correlation().squared_distance(pooled.scaled(4), leaf(weight)),
                        (squares * weight).sum());
}

INSTANTIATE_TEST_SUITE_P(
    Storages,
    WindowedCorrelationBesideDense,
    testing::Combine(test::kDevices, testing::Values(MapStorage::kKept, MapStorage::kRecomputed)),
    test::device_name);

}  // namespace
}  // namespace stc::models
