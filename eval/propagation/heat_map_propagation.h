// One video, frame by frame: heat maps of the first frame's key points (JHMDB) in, those of each
// later frame out.
#pragma once

#include <ATen/core/Tensor.h>

#include "data/images/propagation_input.h"
#include "eval/propagation/frame_features.h"
#include "eval/propagation/label_propagation.h"
#include "eval/propagation/stage_timer.h"

namespace stc::eval {

class HeatMapPropagation {
 public:
  /// maps [J, H, W], double, of the size of the frame that `first` are the features of.
  HeatMapPropagation(const PropagationOptions& options,
                     const FrameFeatures& first,
                     const at::Tensor& maps);

  /// [J, H, W], double: the first frame's maps after they went through the size of the network's
  /// input.
  at::Tensor first_maps() const;
  /// [J, H, W], of the features' dtype: the next frame's maps, from its features.
  at::Tensor next(const at::Tensor& features);

  double propagation_seconds() const {
    return propagation_timer_.seconds();
  }  ///< the search and the vote
  double map_seconds() const {
    return map_timer_.seconds();
  }  ///< soft labels to maps of frame size

 private:
  data::PictureSize frame_size_;
  at::Tensor input_maps_;
  LabelPropagation propagation_;
  StageTimer propagation_timer_, map_timer_;
};

}  // namespace stc::eval
