#include "eval/scores/pck.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "monitoring/check.h"

namespace stc::eval {
namespace {

constexpr double kBodySizePerDiagonal = 0.6;

using Positions = at::TensorAccessor<double, 2>;  // [J, 2] of one frame

void check_shape(const char* name, const at::Tensor& points) {
  STC_CHECK(points.dim() == 3 && points.size(1) == data::kJointCount && points.size(2) == 2 &&
                points.scalar_type() == at::kDouble,
            "{} key points are {}{}; expected Double[T, {}, 2]",
            name,
            points.scalar_type(),
            points.sizes(),
            data::kJointCount);
}

bool counts(double predicted_x, PckRule rule) {
  return rule == PckRule::kReference ? predicted_x > 0 : predicted_x >= 0;
}

double distance(double x, double y) { return std::sqrt(x * x + y * y); }

double body_size(const Positions& truth, const std::array<bool, data::kJointCount>& is_scored) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  std::array<double, 2> low = {kInfinity, kInfinity}, high = {-kInfinity, -kInfinity};
  for (int joint = 0; joint < data::kJointCount; ++joint) {
    if (!is_scored[joint]) continue;
    for (int axis = 0; axis < 2; ++axis) {
      low[axis] = std::min(low[axis], truth[joint][axis]);
      high[axis] = std::max(high[axis], truth[joint][axis]);
    }
  }
  return kBodySizePerDiagonal * distance(high[0] - low[0], high[1] - low[1]);
}

PckCounts count_frame(const Positions& truth, const Positions& predicted, PckRule rule) {
  PckCounts result;
  std::array<bool, data::kJointCount> is_scored{};
  for (int joint = 0; joint < data::kJointCount; ++joint)
    is_scored[joint] = counts(predicted[joint][0], rule);
  const double size = body_size(truth, is_scored);
  for (int joint = 0; joint < data::kJointCount; ++joint) {
    if (!is_scored[joint]) continue;
    ++result.scored[joint];
    const double error =
        distance(predicted[joint][0] - truth[joint][0], predicted[joint][1] - truth[joint][1]);
    for (std::size_t i = 0; i < kPckThresholds.size(); ++i)
      result.within[joint][i] += size > 0 && error / size <= kPckThresholds[i];
  }
  return result;
}

}  // namespace

PckCounts& PckCounts::operator+=(const PckCounts& other) {
  for (int joint = 0; joint < data::kJointCount; ++joint) {
    scored[joint] += other.scored[joint];
    for (std::size_t i = 0; i < kPckThresholds.size(); ++i)
      within[joint][i] += other.within[joint][i];
  }
  return *this;
}

PckCounts count_pck(const at::Tensor& truth, const at::Tensor& predicted, PckRule rule) {
  check_shape("true", truth);
  check_shape("predicted", predicted);
  const auto true_positions = truth.accessor<double, 3>();
  const auto predicted_positions = predicted.accessor<double, 3>();
  PckCounts result;
  const auto frames = std::min(truth.size(0), predicted.size(0));
  for (std::int64_t t = rule == PckRule::kReference ? 0 : 1; t < frames; ++t)
    result += count_frame(true_positions[t], predicted_positions[t], rule);
  return result;
}

PckScores pck_scores(const PckCounts& counts) {
  PckScores scores;
  for (std::size_t i = 0; i < kPckThresholds.size(); ++i) {
    double sum = 0;
    int scored = 0;
    for (int joint = 0; joint < data::kJointCount; ++joint) {
      if (counts.scored[joint] == 0) continue;
      const double share =
          static_cast<double>(counts.within[joint][i]) / static_cast<double>(counts.scored[joint]);
      scores.joints[i][joint] = share;
      sum += share;
      ++scored;
    }
    if (scored > 0) scores.mean[i] = sum / scored;
  }
  return scores;
}

}  // namespace stc::eval
