// Label indices to soft label maps at feature size, and back (docs/evaluation.md).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "data/images/image.h"

namespace stc::eval {

/// Labels [K, h, w], float32, of a map of indices: channel k is 1 in cells with index k. `channels`
/// must be above the highest index.
at::Tensor one_hot(const data::LabelMap& map, std::int64_t channels);

struct LabelMask {
  at::Tensor labels;  ///< uint8 [H, W]: the winning channel, the lowest one on a tie
  at::Tensor margin;  ///< [H, W], dtype of the soft labels: by how much it won
};

/// soft [K, h, w], K <= 256 -> a mask of height x width: bilinear upsampling (half-pixel centres,
/// not antialiased); with `stretch` each channel that is above 0 somewhere is scaled to 0..1 over
/// the whole map; then the highest channel wins.
LabelMask to_mask(const at::Tensor& soft,
                  std::int64_t height,
                  std::int64_t width,
                  bool stretch = true);

data::LabelMap to_label_map(const at::Tensor& labels);  ///< uint8 [H, W]

}  // namespace stc::eval
