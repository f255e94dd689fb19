// A clip of DAVIS or VIP: masks go to OUT/SEQ/FRAME.png, named as the images are.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "eval/jobs/clip_evaluation.h"
#include "eval/propagation/video_propagation.h"

namespace stc::eval {

class MaskEvaluation : public ClipEvaluation {
 public:
  /// What score() returns, once the masks are written; it may add notes.
  using Score = std::function<Json(ClipEvaluation& evaluation)>;

  /// True labels of the frame of that name; none if it has no annotation.
  using Truth = std::function<std::optional<data::LabelMap>(const std::string& name)>;

  /// `labels` are those of the frame that `first` are the features of. Overlays are drawn if
  /// `truth` is given.
  MaskEvaluation(const Variant& variant,
                 const std::string& sequence,
                 const FrameFeatures& first,
                 const data::LabelMap& labels,
                 Score score,
                 Truth truth);

  void first(const std::string& name, const data::Image& frame) override;
  void next(const std::string& name, const data::Image& frame, const at::Tensor& features) override;

  /// Labels of the first frame that its map at feature size no longer shows.
  const std::vector<int>& lost_labels() const { return propagation_.lost_objects(); }

 private:
  Json score() override { return score_(*this); }
  ClipSeconds seconds() const override;
  void write(const std::string& name, const data::Image& frame, const data::LabelMap& mask);

  VideoPropagation propagation_;
  Score score_;
  Truth truth_;
  double file_seconds_ = 0;
};

}  // namespace stc::eval
