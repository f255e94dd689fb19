// A frame as the network sees it in label propagation, and its labels or heat maps at another size.
#pragma once

#include <ATen/core/Tensor.h>

#include "data/images/image.h"

namespace stc::data {

struct PictureSize {
  int height = 0;
  int width = 0;
};

/// Ratio kept, the shorter side `short_side`; halves are rounded up.
PictureSize scaled_to_short_side(int height, int width, int short_side);

enum class InputColour {
  kLab,  ///< (L - 50) / 50, a / 127, b / 127
  kRgb,  ///< 0 to 1, less ImageNet's mean, over its deviation
};

/// "lab" or "rgb", as options and the metadata of weights have it.
const char* word_for(InputColour colour);

/// [3, H, W], float32: resized in 8 bits (bilinear), then normalised.
at::Tensor propagation_input(const Image& frame,
                             PictureSize size,
                             InputColour colour = InputColour::kLab);

/// planes [K, H, W], double -> [K, size]: bilinear as frames are resized, by OpenCV.
at::Tensor resize_planes(const at::Tensor& planes, PictureSize size);

/// Nearest neighbour as PIL has it (the pixel under each centre).
LabelMap resize_labels(const LabelMap& map, PictureSize size);

}  // namespace stc::data
