#include "eval/propagation/label_maps.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "monitoring/check.h"

namespace stc::eval {
namespace {

TEST(OneHot, PutsEachIndexIntoItsChannel) {
  const data::LabelMap map{2, 2, {0, 2, 2, 1}};
  const auto labels = one_hot(map, 4);
  const auto expected = at::tensor({1, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1, 0, 0, 0, 0, 0}, at::kFloat);
  EXPECT_TRUE(at::equal(labels, expected.view({4, 2, 2})));
  EXPECT_THROW(one_hot(map, 2), Error);
}

TEST(ToMask, StretchesEachChannelOverTheWholeMapBeforeTheyCompete) {
  // Channel 1 never reaches channel 0's level, but is at its own highest in the right half.
  const auto soft = at::tensor({0.9, 0.8, 0.1, 0.2}, at::kDouble).view({2, 1, 2});
  const auto mask = to_mask(soft, 1, 2);
  EXPECT_TRUE(at::equal(mask.labels, at::tensor({0, 1}, at::kByte).view({1, 2})));
  EXPECT_NEAR(mask.margin[0][0].item<double>(), 1, 1e-9);
}

TEST(ToMask, TakesTheLowestChannelOnATie) {
  const auto mask = to_mask(at::tensor({0.3, 0.7, 0.3, 0.7}).view({2, 1, 2}), 1, 2);
  EXPECT_EQ(mask.labels.sum().item<std::int64_t>(), 0);
  EXPECT_EQ(mask.margin.abs().max().item<float>(), 0);
}

TEST(ToMask, LeavesChannelsAsTheyAreWhereAskedTo) {
  const auto soft = at::tensor({0.9f, 0.7f, 0.1f, 0.3f}).view({2, 1, 2});
  EXPECT_TRUE(at::equal(to_mask(soft, 1, 2, false).labels, at::zeros({1, 2}, at::kByte)));
  EXPECT_EQ(to_mask(soft, 1, 2, true).labels[0][1].item<int>(), 1);
}

TEST(ToMask, LeavesAnEmptyChannelOut) {
  const auto soft = at::stack({at::zeros({2, 2}), at::rand({2, 2}) + 0.1, at::zeros({2, 2})});
  const auto mask = to_mask(soft, 5, 7);
  EXPECT_TRUE(mask.labels.le(1).all().item<bool>());
  EXPECT_EQ(mask.labels.max().item<std::uint8_t>(), 1);
}

TEST(ToMask, SamplesBetweenCellCentres) {
  // Two cells to four pixels: 1, 3/4, 1/4, 0 of the left cell.
  const auto left = at::tensor({1.0, 0.0}).view({1, 1, 2});
  const auto mask = to_mask(at::cat({left, 1 - left}), 1, 4);
  EXPECT_TRUE(at::equal(mask.labels, at::tensor({0, 0, 1, 1}, at::kByte).view({1, 4})));
  EXPECT_TRUE(at::allclose(mask.margin, at::tensor({1.0, 0.5, 0.5, 1.0}).view({1, 4})));
}

TEST(ToMask, ReportsTheMarginOverTheRunnerUpOfMany) {
  const auto soft = at::rand({5, 3, 4}, at::kDouble);
  const auto low = soft.amin({1, 2}, true), high = soft.amax({1, 2}, true);
  const auto best = std::get<0>(at::topk((soft - low) / (high - low + 1e-12), 2, 0));
  EXPECT_TRUE(at::allclose(to_mask(soft, 3, 4).margin, best[0] - best[1]));
}

TEST(ToLabelMap, KeepsRowsAndColumns) {
  const auto map = to_label_map(at::arange(6, at::kByte).view({3, 2}).t());
  EXPECT_EQ(map.height, 2);
  EXPECT_EQ(map.at(1, 2), 5);
  EXPECT_EQ(map.at(0, 1), 2);
}

}  // namespace
}  // namespace stc::eval
