#include "eval/mask_run.h"

#include <filesystem>

#include "eval/overlay.h"
#include "eval/stage_timer.h"

namespace stc::eval {

namespace fs = std::filesystem;

MaskRun::MaskRun(const Variant& variant,
                 const std::string& sequence,
                 bool overlays,
                 const FrameFeatures& first,
                 const data::LabelMap& labels,
                 Score score)
    : out_(variant.out),
      sequence_(sequence),
      overlays_(overlays),
      propagation_(variant.video, first, labels),
      score_(std::move(score)) {
  fs::create_directories(fs::path(out_) / sequence_);
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
  if (overlays_) write_overlay(out_, sequence_, name, overlay(frame, mask));
}

ClipSeconds MaskRun::seconds() const {
  ClipSeconds seconds;
  seconds.propagation = propagation_.propagation_seconds();
  seconds.masks = propagation_.mask_seconds();
  seconds.files = file_seconds_;
  return seconds;
}

}  // namespace stc::eval
