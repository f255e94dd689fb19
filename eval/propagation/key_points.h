// Key points to heat maps, and back (docs/evaluation.md).
#pragma once

#include <ATen/core/Tensor.h>

#include "data/images/propagation_input.h"

namespace stc::eval {

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
