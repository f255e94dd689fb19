#include "eval/scores/jhmdb_scores.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/benchmarks/joint_positions.h"
#include "eval/scores/prediction_files.h"
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

std::string threshold(std::size_t i) { return text("{}", kPckThresholds[i]); }

std::string threshold_columns() {
  std::string columns;
  for (std::size_t i = 0; i < kPckThresholds.size(); ++i) columns += ",PCK@" + threshold(i);
  return columns;
}

std::string joint_lines(const std::string& rule, const PckScores& scores, const PckCounts& counts) {
  std::string lines;
  std::int64_t scored = 0;
  for (int joint = 0; joint < data::kJointCount; ++joint) {
    scored += counts.scored[joint];
    lines += text("{},{},{}", rule, data::kJointNames[joint], counts.scored[joint]);
    for (const auto& joints : scores.joints) lines += "," + exact(joints[joint]);
    lines += "\n";
  }
  lines += text("{},mean,{}", rule, scored);
  for (const double mean : scores.mean) lines += "," + exact(mean);
  return lines + "\n";
}

PckCounts total(const JhmdbScores& scores, PckCounts JhmdbClipScore::*rule) {
  PckCounts sum;
  for (const auto& clip : scores.clips) sum += clip.*rule;
  return sum;
}

Json by_threshold(const std::array<double, kPckThresholds.size()>& means) {
  auto json = Json::object();
  for (std::size_t i = 0; i < kPckThresholds.size(); ++i) json[threshold(i)] = means[i];
  return json;
}

Json json_of_joint(const PckScores& scores, const PckCounts& counts, int joint) {
  auto pck = Json::object();
  for (std::size_t i = 0; i < kPckThresholds.size(); ++i)
    pck[threshold(i)] = json_of(scores.joints[i][joint]);
  return {{"name", data::kJointNames[joint]}, {"scored", counts.scored[joint]}, {"pck", pck}};
}

Json numbers(const JhmdbScores& scores) {
  const auto counts = total(scores, &JhmdbClipScore::reference);
  auto joints = Json::array(), clips = Json::array();
  for (int joint = 0; joint < data::kJointCount; ++joint)
    joints.push_back(json_of_joint(scores.reference, counts, joint));
  for (const auto& clip : scores.clips)
    clips.push_back({{"name", clip.clip},
                     {"frames", clip.frames},
                     {"pck", by_threshold(pck_scores(clip.reference).mean)}});
  return {{"pck", by_threshold(scores.reference.mean)},
          {"pck_without_first_frame", by_threshold(scores.later_frames.mean)},
          {"joints", joints},
          {"clips", clips}};
}

std::string joints_csv(const JhmdbScores& scores) {
  return "rule,joint,scored" + threshold_columns() + "\n" +
         joint_lines("reference", scores.reference, total(scores, &JhmdbClipScore::reference)) +
         joint_lines("without-first-frame",
                     scores.later_frames,
                     total(scores, &JhmdbClipScore::later_frames));
}

std::string clips_csv(const JhmdbScores& scores) {
  std::string lines = "clip,frames" + threshold_columns() + "\n";
  for (const auto& clip : scores.clips) {
    lines += text("{},{}", csv_field(clip.clip), clip.frames);
    for (const double mean : pck_scores(clip.reference).mean) lines += "," + exact(mean);
    lines += "\n";
  }
  return lines;
}

std::string terminal_table(const JhmdbScores& scores) {
  constexpr int kNameWidth = 20, kNumberWidth = 8;
  const TextTable table{kNameWidth, std::vector<int>(kPckThresholds.size(), kNumberWidth)};
  const auto line = [&](const std::string& name, const auto& field_of_threshold) {
    std::vector<std::string> fields;
    for (std::size_t i = 0; i < kPckThresholds.size(); ++i) fields.push_back(field_of_threshold(i));
    return table.line(name, fields);
  };
  auto lines = line("joint", [](std::size_t i) { return "@" + threshold(i); });
  for (int joint = 0; joint < data::kJointCount; ++joint)
    lines += line(data::kJointNames[joint],
                  [&](std::size_t i) { return percent(scores.reference.joints[i][joint]); });
  lines += line("mean PCK", [&](std::size_t i) { return percent(scores.reference.mean[i]); });
  return lines + line("without frame 0",
                      [&](std::size_t i) { return percent(scores.later_frames.mean[i]); });
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

JhmdbClipScore score_jhmdb_clip(const data::JhmdbClip& clip, const std::string& prediction) {
  const auto truth = data::read_joints(clip.joints);
  const auto path = key_points_path(prediction, clip.name);
  const auto predicted = read_key_points(path);
  const auto images = static_cast<std::int64_t>(clip.images.size());
  const auto frames = images > 0 ? std::min(images, truth.size(0)) : truth.size(0);
  STC_CHECK_DATA(predicted.size(0) >= frames,
                 "{}: holds {} frames; the clip has {}",
                 path,
                 predicted.size(0),
                 frames);
  const auto scored = truth.slice(0, 0, frames);
  return {clip.name,
          frames,
          count_pck(scored, predicted, PckRule::kReference),
          count_pck(scored, predicted, PckRule::kLaterFrames)};
}

JhmdbScores sum_jhmdb(std::vector<JhmdbClipScore> clips) {
  JhmdbScores scores{std::move(clips), {}, {}};
  scores.reference = pck_scores(total(scores, &JhmdbClipScore::reference));
  scores.later_frames = pck_scores(total(scores, &JhmdbClipScore::later_frames));
  return scores;
}

ScoreTables jhmdb_tables(const JhmdbScores& scores) {
  return {.numbers = numbers(scores),
          .text = terminal_table(scores),
          .score_name = "PCK@0.1",
          .score = scores.reference.mean.front(),
          .results = {"results.csv", joints_csv(scores)},
          .details = {"per-clip.csv", clips_csv(scores)}};
}

}  // namespace stc::eval
