#include "eval/jobs/clip_run.h"

#include <filesystem>

#include "eval/propagation/stage_timer.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

std::string stem(const std::string& path) { return fs::path(path).stem().string(); }

Json record_of(ClipRun& run, std::int64_t frames, double features_seconds, double reading_seconds) {
  auto seconds = run.seconds();
  Json record = {{"frames", frames}};
  {
    const StageTimer timer(&seconds.scoring);
    record.update(run.score());
  }
  seconds.features = features_seconds;
  seconds.files += reading_seconds;
  record["notes"] = run.notes();
  record["seconds"] = seconds.json();
  return record;
}

}  // namespace

std::vector<Json> run_clip(const models::ResNet& trunk,
                           const InputOptions& input,
                           const std::string& clip,
                           const std::vector<std::string>& images,
                           const std::vector<Variant>& variants,
                           const StartRun& start,
                           const OnFrame& on_frame) {
  const auto count = static_cast<std::int64_t>(images.size());
  FeatureExtractor extractor(trunk, input);
  double reading = 0;
  std::vector<std::unique_ptr<ClipRun>> runs;
  for (std::int64_t t = 0; t < count; ++t) {
    data::Image frame;
    {
      const StageTimer timer(&reading);
      frame = data::read_image(images[t]);
    }
    const auto features = extractor.extract(frame, images[t]);
    const auto name = stem(images[t]);
    if (t == 0) {
      for (const auto& variant : variants) runs.push_back(start(variant, frame, features));
      for (const auto& run : runs) run->first(name, frame);
    } else {
      for (const auto& run : runs) run->next(name, frame, features.map);
    }
    if (on_frame) on_frame(clip, t + 1, count);
  }
  std::vector<Json> records;
  for (const auto& run : runs)
    records.push_back(record_of(*run, count, extractor.seconds(), reading));
  return records;
}

}  // namespace stc::eval
