#include "eval/scores/jhmdb_scores.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "monitoring/check.h"
#include "tests/eval/golden_cases.h"

namespace stc::eval {
namespace {

using stc::test::golden_cases;
constexpr int kJoints = data::kJointCount;

// A body 30 pixels wide and 40 high: 0.6 of its diagonal is 30 pixels.
at::Tensor body(int frames) {
  auto points = at::zeros({frames, kJoints, 2}, at::kDouble);
  for (int joint = 0; joint < kJoints; ++joint) {
    points.select(1, joint).select(1, 0).fill_(100 + (joint == 14 ? 30 : joint));
    points.select(1, joint).select(1, 1).fill_(50 + (joint == 14 ? 40 : joint));
  }
  return points;
}

PckCounts count(const at::Tensor& truth, const at::Tensor& predicted) {
  return count_pck(truth, predicted, PckRule::kReference);
}

TEST(CountPck, CountsAJointWithinTheThresholdsShareOfTheBody) {
  const auto truth = body(1);
  auto predicted = truth.clone();
  predicted[0][3][0] += 3;   // exactly 0.1
  predicted[0][4][1] -= 10;  // above 0.3
  const auto counts = count(truth, predicted);
  EXPECT_EQ(counts.within[3], (std::array<std::int64_t, 5>{1, 1, 1, 1, 1}));
  EXPECT_EQ(counts.within[4], (std::array<std::int64_t, 5>{0, 0, 0, 1, 1}));
  const auto scores = pck_scores(counts);
  EXPECT_DOUBLE_EQ(scores.mean[0], 14.0 / 15);
  EXPECT_DOUBLE_EQ(scores.mean[3], 1);
}

TEST(CountPck, LeavesOutAJointThatWasNotFoundFromTheBoxToo) {
  const auto truth = body(1);
  auto predicted = truth.clone();
  predicted[0][14].fill_(-1);  // the body that is left is 13 x 13: 0.6 * 18.4 = 11 pixels
  predicted[0][0][0] += 3;     // 0.27 of it
  const auto counts = count(truth, predicted);
  EXPECT_EQ(counts.scored[14], 0);
  EXPECT_EQ(counts.within[0], (std::array<std::int64_t, 5>{0, 0, 1, 1, 1}));
  EXPECT_FALSE(pck_scores(counts).joints[0][14].has_value());
  EXPECT_DOUBLE_EQ(pck_scores(counts).mean[0], 13.0 / 14);
}

TEST(CountPck, DiffersBetweenTheRulesInTheFirstFrameAndAtXZero) {
  const auto truth = body(3);
  auto predicted = truth.clone();
  predicted[1][2][0] = 0;
  const auto reference = count_pck(truth, predicted, PckRule::kReference);
  EXPECT_EQ(reference.scored[0], 3);
  EXPECT_EQ(reference.scored[2], 2);
  const auto later = count_pck(truth, predicted, PckRule::kLaterFrames);
  EXPECT_EQ(later.scored[0], 2);
  EXPECT_EQ(later.scored[2], 2);
  EXPECT_EQ(later.within[2][4], 1);
}

TEST(CountPck, TakesTheFramesThatBothHave) {
  EXPECT_EQ(count(body(5), body(3)).scored[0], 3);
  EXPECT_EQ(count(body(2), body(3)).scored[0], 2);
}

TEST(CountPck, CountsAMissWhereTheBodyIsAPoint) {
  const auto truth = at::full({1, kJoints, 2}, 20, at::kDouble);
  const auto counts = count(truth, truth);
  EXPECT_EQ(counts.scored[0], 1);
  EXPECT_EQ(counts.within[0][4], 0);
}

TEST(CountPck, RefusesOtherShapes) {
  EXPECT_THROW(count(body(1), at::zeros({1, 14, 2}, at::kDouble)), Error);
  EXPECT_THROW(count(body(1), body(1).to(at::kFloat)), Error);
}

// The clips' counts, added up, against the case's percentages over all of them.
void expect_scores(const std::map<std::string, at::Tensor>& golden,
                   const std::string& name,
                   PckRule rule) {
  PckCounts counts;
  for (int clip = 0; clip < 3; ++clip) {
    const auto number = std::to_string(clip);
    counts += count_pck(golden.at("truth" + number), golden.at("predicted" + number), rule);
  }
  const auto scores = pck_scores(counts);
  for (std::size_t i = 0; i < kPckThresholds.size(); ++i) {
    const auto expected = golden.at(name)[static_cast<std::int64_t>(i)];
    EXPECT_NEAR(100 * scores.mean[i], expected[0].item<double>(), 1e-11) << name;
    for (int joint = 0; joint < kJoints; ++joint)
      EXPECT_NEAR(100 * scores.joints[i][joint].value(), expected[joint + 1].item<double>(), 1e-12)
          << name;
  }
}

TEST(CountPck, EqualsTheStoredCases) {
  for (const auto& path : golden_cases("pose_seed")) {
    SCOPED_TRACE(path);
    const auto golden = data::read_safetensors(path).tensors;
    expect_scores(golden, "with_first_frame", PckRule::kReference);
    expect_scores(golden, "without_first_frame", PckRule::kLaterFrames);
  }
}

}  // namespace
}  // namespace stc::eval
