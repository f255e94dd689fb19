#include "eval/davis_evaluation.h"

#include <chrono>
#include <filesystem>

#include "data/file.h"
#include "eval/overlay.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr int kOverlayQuality = 90;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string stem(const std::string& path) { return fs::path(path).stem().string(); }

std::string annotation_of(const data::DavisSequence& sequence, const std::string& image) {
  for (const auto& path : sequence.annotations)
    if (stem(path) == stem(image)) return path;
  throw Error(Exit::kBadData,
              text(image, ": the first frame has no annotation in ", sequence.annotations.front()));
}

std::string lost_note(const std::vector<int>& objects, bool keep_channels) {
  std::string list;
  for (const int object : objects) list += (list.empty() ? "" : ", ") + std::to_string(object);
  return text("object ",
              list,
              " vanishes from the first mask at feature size and cannot be followed",
              keep_channels ? "" : " (its channel too, where no higher one is left)");
}

class FrameFiles {
 public:
  FrameFiles(const fs::path& out, const std::string& sequence, bool overlays)
      : masks_(out / sequence), overlays_(overlays ? out / "overlays" / sequence : fs::path()) {
    fs::create_directories(masks_);
    if (overlays) fs::create_directories(overlays_);
  }
  void write(const std::string& name, const data::Image& frame, const data::LabelMap& mask) const {
    data::write_label_png((masks_ / (name + ".png")).string(), mask);
    if (overlays_.empty()) return;
    const auto picture = data::encode_jpeg(overlay(frame, mask), kOverlayQuality);
    data::write_file((overlays_ / (name + ".jpg")).string(), picture);
  }

 private:
  fs::path masks_, overlays_;
};

}  // namespace

SequenceRun propagate_sequence(const models::ResNet& trunk,
                               const data::DavisSequence& sequence,
                               const std::string& out,
                               const DavisEvaluationOptions& options) {
  SequenceRun run;
  const auto note = [&](const std::string& line) {
    if (!line.empty()) run.notes.push_back(sequence.name + ": " + line);
  };
  const auto start = Clock::now();
  const FrameFiles files(out, sequence.name, options.overlays);
  const auto first = data::read_image(sequence.images.front());
  const auto annotation = annotation_of(sequence, sequence.images.front());
  auto labels = data::read_label_png(annotation);
  note(settle_void(&labels));

  VideoPropagation propagation(trunk, options.video, first, labels, annotation);
  if (!propagation.lost_objects().empty())
    note(lost_note(propagation.lost_objects(), options.video.keep_channels));
  files.write(stem(sequence.images.front()), first, propagation.first_mask());
  const auto count = static_cast<std::int64_t>(sequence.images.size());
  if (options.on_frame) options.on_frame(sequence.name, 1, count);
  for (std::int64_t t = 1; t < count; ++t) {
    const auto& path = sequence.images[t];
    const auto frame = data::read_image(path);
    files.write(stem(path), frame, propagation.next(frame, path));
    if (options.on_frame) options.on_frame(sequence.name, t + 1, count);
  }
  run.seconds = propagation.seconds();
  run.files_seconds =
      seconds_since(start) - run.seconds.features - run.seconds.propagation - run.seconds.masks;
  return run;
}

DavisEvaluation evaluate_davis(const models::ResNet& trunk,
                               const std::vector<data::DavisSequence>& sequences,
                               const std::string& out,
                               const DavisEvaluationOptions& options) {
  DavisEvaluation evaluation;
  for (const auto& sequence : sequences) {
    const auto run = propagate_sequence(trunk, sequence, out, options);
    evaluation.seconds += run.seconds;
    evaluation.files_seconds += run.files_seconds;
    evaluation.frames += static_cast<std::int64_t>(sequence.images.size());
    evaluation.notes.insert(evaluation.notes.end(), run.notes.begin(), run.notes.end());
  }
  const auto start = Clock::now();
  evaluation.scores = score_davis(sequences, out, options.threads);
  evaluation.scoring_seconds = seconds_since(start);
  write_official_csv(out, evaluation.scores);
  write_results_csv((fs::path(out) / "results.csv").string(), evaluation.scores);
  write_frames_csv((fs::path(out) / "per-frame.csv").string(), evaluation.scores);
  return evaluation;
}

}  // namespace stc::eval
