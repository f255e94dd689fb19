#include "eval/scores/jhmdb_scores.h"
#include "data/benchmarks/joint_positions.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/file.h"
#include "eval/scores/key_point_files.h"
#include "eval/scores/text_files.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

using nlohmann::ordered_json;

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
    for (const auto& joints : scores.joints)
      lines += "," + (joints[joint] ? exact(*joints[joint]) : "");
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

ordered_json json_of(const std::array<double, kPckThresholds.size()>& means) {
  auto json = ordered_json::object();
  for (std::size_t i = 0; i < means.size(); ++i) json[threshold(i)] = means[i];
  return json;
}

ordered_json json_of_joint(const JhmdbScores& scores, const PckCounts& counts, int joint) {
  auto pck = ordered_json::object();
  for (std::size_t i = 0; i < kPckThresholds.size(); ++i) {
    const auto& share = scores.reference.joints[i][joint];
    pck[threshold(i)] = share ? ordered_json(*share) : ordered_json(nullptr);
  }
  return {{"name", data::kJointNames[joint]}, {"scored", counts.scored[joint]}, {"pck", pck}};
}

}  // namespace

std::string key_points_path(const std::string& folder, const std::string& clip) {
  return (std::filesystem::path(folder) / (clip + ".csv")).string();
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

void write_jhmdb_csv(const std::string& path, const JhmdbScores& scores) {
  data::write_text(
      path,
      "rule,joint,scored" + threshold_columns() + "\n" +
          joint_lines("reference", scores.reference, total(scores, &JhmdbClipScore::reference)) +
          joint_lines("without-first-frame",
                      scores.later_frames,
                      total(scores, &JhmdbClipScore::later_frames)));
}

void write_jhmdb_clips_csv(const std::string& path, const JhmdbScores& scores) {
  std::string lines = "clip,frames" + threshold_columns() + "\n";
  for (const auto& clip : scores.clips) {
    lines += text("{},{}", csv_field(clip.clip), clip.frames);
    for (const double mean : pck_scores(clip.reference).mean) lines += "," + exact(mean);
    lines += "\n";
  }
  data::write_text(path, lines);
}

std::string jhmdb_json(const JhmdbScores& scores) {
  const auto counts = total(scores, &JhmdbClipScore::reference);
  auto joints = ordered_json::array(), clips = ordered_json::array();
  for (int joint = 0; joint < data::kJointCount; ++joint)
    joints.push_back(json_of_joint(scores, counts, joint));
  for (const auto& clip : scores.clips) {
    clips.push_back({{"name", clip.clip},
                     {"frames", clip.frames},
                     {"pck", json_of(pck_scores(clip.reference).mean)}});
  }
  const ordered_json json = {{"pck", json_of(scores.reference.mean)},
                             {"pck_without_first_frame", json_of(scores.later_frames.mean)},
                             {"joints", joints},
                             {"clips", clips}};
  return json.dump(2) + "\n";
}

std::string jhmdb_table(const JhmdbScores& scores) {
  constexpr int kNameWidth = 20, kNumberWidth = 8;
  std::ostringstream out;
  out << std::left << std::setw(kNameWidth) << "joint" << std::right;
  for (std::size_t i = 0; i < kPckThresholds.size(); ++i)
    out << std::setw(kNumberWidth) << "@" + threshold(i);
  out << '\n';
  const auto name = [&](const char* value) -> std::ostream& {
    return out << std::left << std::setw(kNameWidth) << value << std::right;
  };
  for (int joint = 0; joint < data::kJointCount; ++joint) {
    name(data::kJointNames[joint]);
    for (const auto& joints : scores.reference.joints)
      out << std::setw(kNumberWidth) << (joints[joint] ? percent(*joints[joint]) : "-");
    out << '\n';
  }
  name("mean PCK");
  for (const double mean : scores.reference.mean) out << std::setw(kNumberWidth) << percent(mean);
  out << '\n';
  name("without frame 0");
  for (const double mean : scores.later_frames.mean)
    out << std::setw(kNumberWidth) << percent(mean);
  out << '\n';
  return out.str();
}

}  // namespace stc::eval
