// Label indices to soft label maps at feature size, key points to heat maps, and back
// (docs/evaluation.md).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "data/images/image.h"
#include "data/images/propagation_input.h"

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
/// the whole map; then the highest channel wins. On the device of `soft`.
LabelMask to_mask(const at::Tensor& soft,
                  std::int64_t height,
                  std::int64_t width,
                  bool stretch = true);

data::LabelMap to_label_map(const at::Tensor& labels);  ///< uint8 [H, W]

/// Heat maps [J, H, W] of a frame's size, double, of points [J, 2] (x, y): exp(-d^2 / 32) within a
/// square window of 25 pixels. Its upper left corner is (x - 12, y - 12) cut toward zero, as in
/// published evaluations: the centre is floor(x), but ceil(x) where x < 12. A point whose window
/// misses the frame has an empty map.
at::Tensor draw_heat_maps(const at::Tensor& points, data::PictureSize frame);

/// Points [J, 2], double, of heat maps [J, H, W]: the mean position of the five highest pixels,
/// weighted by their values; ties go to the pixel that comes first, row by row. (-1, -1) if the map
/// is zero.
at::Tensor locate_key_points(const at::Tensor& maps);

}  // namespace stc::eval
