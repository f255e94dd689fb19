// What a trunk sees of a video's frames: the features that labels follow.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>

#include "data/images/image.h"
#include "data/images/propagation_input.h"
#include "eval/propagation/stage_timer.h"
#include "models/resnet.h"

namespace stc::eval {

struct InputOptions {
  std::int64_t short_side = 480;  ///< of the network's input; the ratio is kept. 0: the frame's own
  std::int64_t square_side = 0;   ///< above 0: the input is a square of this side
  std::int64_t long_side_multiple = 1;  ///< the longer side is cut down to a multiple of this
  data::InputColour colour = data::InputColour::kLab;
};

data::PictureSize input_size(const InputOptions& options, int height, int width);

/// The features of one frame, and the sizes on the way to them.
struct FrameFeatures {
  at::Tensor map;                ///< [C, h, w]
  data::PictureSize input_size;  ///< of the network's input
};

/// One clip's frames, one after the other; all of them have the first one's size.
class FeatureExtractor {
 public:
  /// `trunk` has the strides of label propagation and outlives this; the features are those of its
  /// third stage.
  FeatureExtractor(const models::ResNet& trunk, const InputOptions& options)
      : trunk_(trunk), options_(options) {}

  /// Throws stc::Error (kBadData) naming `name` if the frame is not of the first one's size.
  FrameFeatures extract(const data::Image& frame, const std::string& name);

  double seconds() const { return timer_.seconds(); }  ///< so far: resizing, Lab and the network

 private:
  const models::ResNet& trunk_;
  InputOptions options_;
  std::optional<data::PictureSize> frame_size_;
  StageTimer timer_;
};

}  // namespace stc::eval
