#include "eval/jobs/jhmdb_benchmark.h"
#include "data/benchmarks/joint_positions.h"

#include <ATen/ATen.h>

#include <filesystem>
#include <memory>
#include <optional>

#include "eval/drawing/overlay_files.h"
#include "eval/drawing/pose_overlay.h"
#include "eval/jobs/clip_run.h"
#include "eval/propagation/heat_map_propagation.h"
#include "eval/propagation/key_points.h"
#include "eval/propagation/stage_timer.h"
#include "eval/scores/jhmdb_scores.h"
#include "eval/scores/key_point_files.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

// One variant on its way through a clip.
class PoseRun : public ClipRun {
 public:
  PoseRun(const Variant& variant,
          const data::JhmdbClip& clip,
          const at::Tensor& joints,
          bool overlays,
          const FrameFeatures& first,
          const at::Tensor& maps)
      : out_(variant.out),
        clip_(clip),
        joints_(joints),
        propagation_(variant.video.propagation, first, maps) {
    if (overlays) overlays_.emplace(out_, clip_.name);
  }

  void first(const std::string& name, const data::Image& frame) override {
    add(name, frame, propagation_.first_maps());
  }
  void next(const std::string& name,
            const data::Image& frame,
            const at::Tensor& features) override {
    add(name, frame, propagation_.next(features));
  }
  Json score() override {
    if (overlays_) overlays_->finish();
    const auto path = key_points_path(out_, clip_.name);
    fs::create_directories(fs::path(path).parent_path());
    write_key_points(path, at::stack(points_));
    const auto scored = score_jhmdb_clip(clip_, out_);
    return {{"scored_frames", scored.frames},
            {"reference", json_of(scored.reference)},
            {"later_frames", json_of(scored.later_frames)}};
  }
  ClipSeconds seconds() const override {
    ClipSeconds seconds;
    seconds.propagation = propagation_.propagation_seconds();
    seconds.masks = propagation_.map_seconds() + locate_seconds_;
    seconds.files = file_seconds_;
    return seconds;
  }

 private:
  static Json json_of(const PckCounts& counts) {
    return {{"scored", counts.scored}, {"within", counts.within}};
  }
  void add(const std::string& name, const data::Image& frame, const at::Tensor& maps) {
    {
      const StageTimer timer(&locate_seconds_);
      points_.push_back(locate_key_points(maps));
    }
    if (!overlays_) return;
    const StageTimer timer(&file_seconds_);
    // The truth may end before the images do.
    const auto t = static_cast<std::int64_t>(points_.size()) - 1;
    const auto truth = t < joints_.size(0) ? pose_overlay(frame, joints_[t]) : frame;
    overlays_->add(name, pose_overlay(frame, points_.back()), truth);
  }

  std::string out_;
  const data::JhmdbClip& clip_;
  at::Tensor joints_;  // [T, 15, 2], the truth
  std::optional<OverlayFiles> overlays_;
  HeatMapPropagation propagation_;
  std::vector<at::Tensor> points_;  // [15, 2], one a frame
  double locate_seconds_ = 0, file_seconds_ = 0;
};

PckCounts counts_of(const Json& json) {
  PckCounts counts;
  json.at("scored").get_to(counts.scored);
  json.at("within").get_to(counts.within);
  return counts;
}

// Joints whose maps are empty, by name; "" where there is none.
std::string lost_joints(const at::Tensor& maps) {
  std::string list;
  for (int joint = 0; joint < data::kJointCount; ++joint)
    if (!maps[joint].any().item<bool>())
      list += text("{}{}", list.empty() ? "" : ", ", data::kJointNames[joint]);
  return list;
}

}  // namespace

JhmdbBenchmark::JhmdbBenchmark(const models::ResNet& trunk,
                               std::vector<data::JhmdbClip> clips,
                               const JhmdbBenchmarkOptions& options,
                               std::vector<Variant> variants)
    : trunk_(trunk), clips_(std::move(clips)), options_(options), variants_(std::move(variants)) {}

std::vector<Clip> JhmdbBenchmark::clips() const {
  std::vector<Clip> clips;
  for (const auto& clip : clips_)
    clips.push_back({clip.name, static_cast<std::int64_t>(clip.images.size())});
  return clips;
}

std::vector<Json> JhmdbBenchmark::evaluate(std::size_t index, const OnFrame& on_frame) const {
  const auto& clip = clips_.at(index);
  STC_CHECK_DATA(clip.fault.empty(), "{}", clip.fault);
  const auto joints = data::read_joints(clip.joints);  // before a frame is read
  at::Tensor maps;
  const auto start = [&](const Variant& variant,
                         const data::Image& first,
                         const FrameFeatures& features) {
    if (!maps.defined()) maps = draw_heat_maps(joints[0], {first.height, first.width});
    auto run = std::make_unique<PoseRun>(variant, clip, joints, options_.overlays, features, maps);
    const auto lost = lost_joints(maps);
    if (!lost.empty())
      run->note(text("{}: not in the first frame, and cannot be followed: {}", clip.name, lost));
    return run;
  };
  return run_clip(trunk_, options_.input, clip.name, clip.images, variants_, start, on_frame);
}

Summary JhmdbBenchmark::summarise(const std::string& out, const std::vector<Json>& records) const {
  std::vector<JhmdbClipScore> clips;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& record = records[i];
    if (record.is_null()) continue;
    clips.push_back({clips_.at(i).name,
                     record.at("scored_frames").get<std::int64_t>(),
                     counts_of(record.at("reference")),
                     counts_of(record.at("later_frames"))});
  }
  const auto scores = sum_jhmdb(std::move(clips));
  write_jhmdb_csv((fs::path(out) / "results.csv").string(), scores);
  write_jhmdb_clips_csv((fs::path(out) / "per-clip.csv").string(), scores);
  return {Json::parse(jhmdb_json(scores)),
          jhmdb_table(scores),
          "PCK@0.1",
          scores.reference.mean.front()};
}

}  // namespace stc::eval
