#include "eval/jobs/jhmdb_benchmark.h"

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>

#include "data/benchmarks/joint_positions.h"
#include "eval/drawing/pose_overlay.h"
#include "eval/propagation/heat_map_propagation.h"
#include "eval/propagation/key_points.h"
#include "eval/propagation/stage_timer.h"
#include "eval/scores/jhmdb_scores.h"
#include "eval/scores/key_point_files.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

Json json_of(const PckCounts& counts) {
  return {{"scored", counts.scored}, {"within", counts.within}};
}

PckCounts counts_of(const Json& json) {
  PckCounts counts;
  json.at("scored").get_to(counts.scored);
  json.at("within").get_to(counts.within);
  return counts;
}

class KeyPointEvaluation : public ClipEvaluation {
 public:
  KeyPointEvaluation(const Variant& variant,
                     const data::JhmdbClip& clip,
                     const at::Tensor& joints,
                     bool has_overlays,
                     const FrameFeatures& first,
                     const at::Tensor& maps)
      : ClipEvaluation(variant, clip.name, has_overlays),
        clip_(clip),
        joints_(joints),
        propagation_(variant.video.propagation, first, maps) {}

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
    return {.propagation = propagation_.propagation_seconds(),
            .masks = propagation_.map_seconds() + locate_seconds_,
            .files = file_seconds_};
  }
  void add(const std::string& name, const data::Image& frame, const at::Tensor& maps) {
    {
      const StageTimer timer(&locate_seconds_);
      points_.push_back(locate_key_points(maps));
    }
    if (!overlays()) return;
    const StageTimer timer(&file_seconds_);
    // The truth may end before the images do.
    const auto t = static_cast<std::int64_t>(points_.size()) - 1;
    const auto truth = t < joints_.size(0) ? pose_overlay(frame, joints_[t]) : frame;
    overlays()->add(name, pose_overlay(frame, points_.back()), truth);
  }

  const data::JhmdbClip& clip_;
  at::Tensor joints_;  // [T, 15, 2], the truth
  HeatMapPropagation propagation_;
  std::vector<at::Tensor> points_;  // [15, 2], one per frame
  double locate_seconds_ = 0, file_seconds_ = 0;
};

// Joints whose maps are empty, by name; "" if there is none.
std::string lost_joints(const at::Tensor& maps) {
  std::string list;
  for (int joint = 0; joint < data::kJointCount; ++joint)
    if (!maps[joint].any().item<bool>())
      list += text("{}{}", list.empty() ? "" : ", ", data::kJointNames[joint]);
  return list;
}

}  // namespace

Benchmark::StartClip JhmdbBenchmark::open_clip(std::size_t index) const {
  const auto& clip = jhmdb_clips_.at(index);
  return [this, &clip, joints = data::read_joints(clip.joints)](
             const Variant& variant, const data::Image& frame, const FrameFeatures& features) {
    const auto maps = draw_heat_maps(joints[0], {frame.height, frame.width});
    auto evaluation =
        std::make_unique<KeyPointEvaluation>(variant, clip, joints, has_overlays(), features, maps);
    const auto lost = lost_joints(maps);
    if (!lost.empty())
      evaluation->note(
          text("{}: not in the first frame, and cannot be followed: {}", clip.name, lost));
    return evaluation;
  };
}

ScoreTables JhmdbBenchmark::tables_of(const std::vector<ClipRecord>& records) const {
  std::vector<JhmdbClipScore> clips;
  for (const auto& [clip, record] : records)
    clips.push_back({clip,
                     record.at("scored_frames").get<std::int64_t>(),
                     counts_of(record.at("reference")),
                     counts_of(record.at("later_frames"))});
  return jhmdb_tables(sum_jhmdb(std::move(clips)));
}

}  // namespace stc::eval
