#include "eval/jobs/mask_evaluation.h"

#include <filesystem>

#include "eval/drawing/overlay.h"
#include "eval/propagation/stage_timer.h"

namespace stc::eval {

namespace fs = std::filesystem;

MaskEvaluation::MaskEvaluation(const Variant& variant,
                               const std::string& sequence,
                               const FrameFeatures& first,
                               const data::LabelMap& labels,
                               Score score,
                               Truth truth)
    : ClipEvaluation(variant, sequence, truth != nullptr),
      propagation_(variant.video, first, labels),
      score_(std::move(score)),
      truth_(std::move(truth)) {
  fs::create_directories(fs::path(out()) / clip());
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
  const StageTimer timer(&file_seconds_);
  data::write_label_png((fs::path(out()) / clip() / (name + ".png")).string(), mask);
  if (!overlays()) return;
  const auto truth = truth_(name);
  // A truth of another size is reported by the scorer.
  const bool is_drawn = truth && truth->height == frame.height && truth->width == frame.width;
  overlays()->add(name, overlay(frame, mask), is_drawn ? overlay(frame, *truth) : frame);
}

ClipSeconds MaskEvaluation::seconds() const {
  return {.propagation = propagation_.propagation_seconds(),
          .masks = propagation_.mask_seconds(),
          .files = file_seconds_};
}

}  // namespace stc::eval
