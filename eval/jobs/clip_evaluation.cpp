#include "eval/jobs/clip_evaluation.h"

#include <filesystem>

#include "eval/drawing/overlay.h"

namespace stc::eval {

namespace fs = std::filesystem;

ClipEvaluation::ClipEvaluation(const ClipStart& start, const std::string& clip)
    : out_(start.variant.out) {
  if (start.has_overlays) overlays_.emplace(out_, clip);
}

Json ClipEvaluation::finish(std::int64_t frames, double features_seconds, double reading_seconds) {
  const auto taken = seconds();
  Json record = {{"frames", frames}};
  StageTimer scoring;
  scoring.time([&] {
    if (overlays_) overlays_->finish();
    record.update(score());
  });
  record["notes"] = notes_;
  record["seconds"] = {{"features", features_seconds},
                       {"propagation", taken.propagation},
                       {"masks", taken.masks},
                       {"files", taken.files + reading_seconds},
                       {"scoring", scoring.seconds()}};
  return record;
}

MaskEvaluation::MaskEvaluation(const ClipStart& start,
                               const data::AnnotatedSequence& sequence,
                               const data::LabelMap& labels,
                               ReadLabels read,
                               Score score)
    : ClipEvaluation(start, sequence.name),
      sequence_(sequence),
      propagation_(start.variant.video, start.features, labels),
      read_(read),
      score_(std::move(score)) {
  fs::create_directories(fs::path(out()) / sequence.name);
}

void MaskEvaluation::first(const std::string& name, const data::Image& frame) {
  write(name, frame, propagation_.first_mask());
}

void MaskEvaluation::next(const std::string& name,
                          const data::Image& frame,
                          const at::Tensor& features) {
  write(name, frame, propagation_.next(features));
}

void MaskEvaluation::write(const std::string& name,
                           const data::Image& frame,
                           const data::LabelMap& mask) {
  files_.time([&] {
    data::write_label_png((fs::path(out()) / sequence_.name / (name + ".png")).string(), mask);
    if (!overlays()) return;
    auto true_picture = frame;
    if (const auto path = find_annotation(sequence_, name)) {
      const auto truth = read_(*path);
      // A truth of another size is reported by the scorer.
      if (truth.height == frame.height && truth.width == frame.width)
        true_picture = overlay(frame, truth);
    }
    overlays()->add(name, overlay(frame, mask), true_picture);
  });
}

ClipSeconds MaskEvaluation::seconds() const {
  return {propagation_.propagation_seconds(), propagation_.mask_seconds(), files_.seconds()};
}

std::optional<std::string> find_annotation(const data::AnnotatedSequence& sequence,
                                           const std::string& frame) {
  for (const auto& path : sequence.annotations)
    if (fs::path(path).stem() == frame) return path;
  return std::nullopt;
}

}  // namespace stc::eval
