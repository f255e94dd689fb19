#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>

#include "data/benchmarks/joint_positions.h"
#include "eval/drawing/overlay.h"
#include "eval/jobs/benchmarks.h"
#include "eval/propagation/label_maps.h"
#include "eval/propagation/video_propagation.h"
#include "eval/scores/jhmdb_scores.h"
#include "eval/scores/prediction_files.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

Json json_of(const PckCounts& counts) {
  return {{"scored", counts.scored}, {"within", counts.within}};
}

PckCounts counts_of(const Json& json) { return {json.at("scored"), json.at("within")}; }

class KeyPointEvaluation : public ClipEvaluation {
 public:
  KeyPointEvaluation(const ClipStart& start,
                     const data::JhmdbClip& clip,
                     const at::Tensor& joints,
                     const at::Tensor& maps)
      : ClipEvaluation(start, clip.name),
        clip_(clip),
        joints_(joints),
        propagation_(start.variant.video.propagation, start.features, maps) {}

  void first(const std::string& name, const data::Image& frame) override {
    add(name, frame, propagation_.first_maps());
  }
  void next(const std::string& name,
            const data::Image& frame,
            const at::Tensor& features) override {
    add(name, frame, propagation_.next(features));
  }

 private:
  Json score() override {
    const auto path = key_points_path(out(), clip_.name);
    fs::create_directories(fs::path(path).parent_path());
    write_key_points(path, at::stack(points_));
    const auto scored = score_jhmdb_clip(clip_, out());
    return {{"scored_frames", scored.frames},
            {"reference", json_of(scored.reference)},
            {"later_frames", json_of(scored.later_frames)}};
  }
  ClipSeconds seconds() const override {
    return {propagation_.propagation_seconds(),
            propagation_.map_seconds() + locating_.seconds(),
            files_.seconds()};
  }
  void add(const std::string& name, const data::Image& frame, const at::Tensor& maps) {
    points_.push_back(locating_.time([&] { return locate_key_points(maps); }));
    if (!overlays()) return;
    // The truth may end before the images do.
    const auto t = static_cast<std::int64_t>(points_.size()) - 1;
    files_.time([&] {
      const auto truth = t < joints_.size(0) ? pose_overlay(frame, joints_[t]) : frame;
      overlays()->add(name, pose_overlay(frame, points_.back()), truth);
    });
  }

  const data::JhmdbClip& clip_;
  at::Tensor joints_;  // [T, 15, 2], the truth
  HeatMapPropagation propagation_;
  std::vector<at::Tensor> points_;  // [15, 2], one per frame
  StageTimer locating_, files_;
};

// Names of the joints whose maps are empty.
std::vector<std::string> lost_joints(const at::Tensor& maps) {
  std::vector<std::string> lost;
  for (int joint = 0; joint < data::kJointCount; ++joint)
    if (!maps[joint].any().item<bool>()) lost.emplace_back(data::kJointNames[joint]);
  return lost;
}

StartClip open_clip(const data::JhmdbClip& clip) {
  return [&clip, joints = data::read_joints(clip.joints)](const ClipStart& start) {
    const auto maps = draw_heat_maps(joints[0], {start.frame.height, start.frame.width});
    auto evaluation = std::make_unique<KeyPointEvaluation>(start, clip, joints, maps);
    if (const auto images = static_cast<std::int64_t>(clip.images.size()); images != joints.size(0))
      evaluation->note(text("{}: {} images, joints of {} frames; the first {} are scored",
                            clip.name,
                            images,
                            joints.size(0),
                            std::min(images, joints.size(0))));
    if (const auto lost = lost_joints(maps); !lost.empty())
      evaluation->note(
          text("{}: not in the first frame, and cannot be followed: {}", clip.name, joined(lost)));
    return evaluation;
  };
}

ScoreTables tables_of(const std::vector<ClipRecord>& records) {
  std::vector<JhmdbClipScore> clips;
  for (const auto& [clip, record] : records)
    clips.push_back({clip,
                     record.at("scored_frames").get<std::int64_t>(),
                     counts_of(record.at("reference")),
                     counts_of(record.at("later_frames"))});
  return jhmdb_tables(sum_jhmdb(std::move(clips)));
}

}  // namespace

Benchmark jhmdb_benchmark(std::vector<data::JhmdbClip> clips, BenchmarkSetup setup) {
  return {std::move(clips), std::move(setup), open_clip, tables_of};
}

}  // namespace stc::eval
