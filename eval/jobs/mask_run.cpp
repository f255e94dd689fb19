#include "eval/jobs/mask_run.h"

#include <filesystem>

#include "eval/drawing/overlay.h"
#include "eval/propagation/stage_timer.h"

namespace stc::eval {

namespace fs = std::filesystem;

MaskRun::MaskRun(const Variant& variant,
                 const std::string& sequence,
                 const FrameFeatures& first,
                 const data::LabelMap& labels,
                 Score score,
                 Truth truth)
    : out_(variant.out),
      sequence_(sequence),
      propagation_(variant.video, first, labels),
      score_(std::move(score)),
      truth_(std::move(truth)) {
  fs::create_directories(fs::path(out_) / sequence_);
  if (truth_) overlays_.emplace(out_, sequence_);
}

void MaskRun::first(const std::string& name, const data::Image& frame) {
  write(name, frame, propagation_.first_mask());
}

void MaskRun::next(const std::string& name, const data::Image& frame, const at::Tensor& features) {
  write(name, frame, propagation_.next(features));
}

void MaskRun::write(const std::string& name, const data::Image& frame, const data::LabelMap& mask) {
  const StageTimer timer(&file_seconds_);
  data::write_label_png((fs::path(out_) / sequence_ / (name + ".png")).string(), mask);
  if (!overlays_) return;
  const auto truth = truth_(name);
  // A truth of another size is for the scorer to name.
  const bool is_drawn = truth && truth->height == frame.height && truth->width == frame.width;
  overlays_->add(name, overlay(frame, mask), is_drawn ? overlay(frame, *truth) : frame);
}

Json MaskRun::score() {
  if (overlays_) overlays_->finish();
  return score_(*this);
}

ClipSeconds MaskRun::seconds() const {
  ClipSeconds seconds;
  seconds.propagation = propagation_.propagation_seconds();
  seconds.masks = propagation_.mask_seconds();
  seconds.files = file_seconds_;
  return seconds;
}

}  // namespace stc::eval
