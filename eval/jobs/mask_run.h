// One variant of DAVIS or VIP on its way through a sequence: masks go to OUT/SEQ/FRAME.png, named
// as the images are.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/images/image.h"
#include "eval/drawing/overlay_files.h"
#include "eval/jobs/clip_run.h"
#include "eval/propagation/video_propagation.h"

namespace stc::eval {

class MaskRun : public ClipRun {
 public:
  /// What score() returns, once the masks are written; it may add notes to the run.
  using Score = std::function<Json(ClipRun& run)>;

  /// True labels of the frame of that name; none where it has no annotation.
  using Truth = std::function<std::optional<data::LabelMap>(const std::string& name)>;

  /// `labels` are those of the frame that `first` are the features of. Overlays are drawn where
  /// `truth` is given.
  MaskRun(const Variant& variant,
          const std::string& sequence,
          const FrameFeatures& first,
          const data::LabelMap& labels,
          Score score,
          Truth truth);

  void first(const std::string& name, const data::Image& frame) override;
  void next(const std::string& name, const data::Image& frame, const at::Tensor& features) override;
  Json score() override;
  ClipSeconds seconds() const override;

  /// Labels of the first frame that its map at feature size no longer shows.
  const std::vector<int>& lost_labels() const { return propagation_.lost_objects(); }

 private:
  void write(const std::string& name, const data::Image& frame, const data::LabelMap& mask);

  std::string out_, sequence_;
  VideoPropagation propagation_;
  Score score_;
  Truth truth_;
  std::optional<OverlayFiles> overlays_;
  double file_seconds_ = 0;
};

}  // namespace stc::eval
