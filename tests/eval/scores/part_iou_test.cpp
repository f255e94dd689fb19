#include "eval/scores/vip_scores.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "eval/propagation/label_maps.h"
#include "monitoring/check.h"
#include "tests/eval/golden_cases.h"
#include "tests/support/davis_files.h"

namespace stc::eval {
namespace {

using namespace stc::test;

PartScores score(const data::LabelMap& truth, const data::LabelMap& prediction) {
  PartCounts counts;
  counts.add(truth, prediction);
  return part_scores(counts);
}

TEST(PartCounts, ScoreIntersectionOverUnion) {
  const data::LabelMap truth{2, 4, {0, 0, 0, 0, 1, 1, 2, 2}};
  const data::LabelMap prediction{2, 4, {0, 0, 0, 1, 1, 1, 1, 3}};
  const auto scores = score(truth, prediction);
  EXPECT_DOUBLE_EQ(scores.iou[0].value(), 3.0 / 4);
  EXPECT_DOUBLE_EQ(scores.iou[1].value(), 2.0 / 4);
  EXPECT_DOUBLE_EQ(scores.iou[2].value(), 0);
  EXPECT_DOUBLE_EQ(scores.iou[3].value(), 0);
  EXPECT_FALSE(scores.iou[4].has_value());
  EXPECT_DOUBLE_EQ(scores.mean_iou, (0.75 + 0.5) / 4);
  EXPECT_DOUBLE_EQ(scores.mean_accuracy, (0.75 + 1 + 0) / 3);
  EXPECT_FALSE(scores.accuracy[3].has_value());
  EXPECT_DOUBLE_EQ(scores.pixel_accuracy, 5.0 / 8);
}

TEST(PartCounts, LeaveOutPixelsWithoutTruth) {
  const data::LabelMap truth{1, 4, {255, 255, 1, 1}};
  EXPECT_DOUBLE_EQ(score(truth, {1, 4, {3, 1, 1, 1}}).mean_iou, 1);
}

TEST(PartCounts, TakeAPredicted255ForNoPart) {
  const auto scores = score({1, 4, {1, 1, 1, 1}}, {1, 4, {255, 1, 1, 1}});
  EXPECT_DOUBLE_EQ(scores.iou[1].value(), 0.75);
  EXPECT_DOUBLE_EQ(scores.mean_iou, 0.75);
}

TEST(PartCounts, RefuseAnotherSize) {
  PartCounts counts;
  EXPECT_THROW(counts.add(label_map(2, 3), label_map(3, 2)), Error);
}

data::LabelMap frame(const at::Tensor& maps, std::int64_t t) { return to_label_map(maps[t]); }

TEST(PartCounts, EqualTheStoredCases) {
  for (const auto& path : golden_cases("parts_seed")) {
    const auto golden = data::read_safetensors(path).tensors;
    PartCounts counts;
    for (const std::string clip : {"0", "1"}) {
      const auto truth = golden.at("truth" + clip), predicted = golden.at("predicted" + clip);
      PartCounts of_clip;
      for (std::int64_t t = 0; t < truth.size(0); ++t)
        of_clip.add(frame(truth, t), frame(predicted, t));
      counts += of_clip;
    }
    const auto scores = part_scores(counts);
    for (int part = 0; part < data::kPartCount; ++part)
      EXPECT_NEAR(scores.iou[part].value_or(-1), golden.at("iou")[part].item<double>(), 1e-15)
          << path << ", part " << part;
    const auto means =
        at::tensor({scores.mean_iou, scores.mean_accuracy, scores.pixel_accuracy}, at::kDouble);
    EXPECT_LT(largest_difference(means, golden.at("means")), 1e-15) << path;
  }
}

}  // namespace
}  // namespace stc::eval
