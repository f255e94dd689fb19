// Key points drawn over a frame.
#pragma once

#include <ATen/core/Tensor.h>

#include "data/images/image.h"

namespace stc::eval {

/// The image with a disc at each of JHMDB's joints [15, 2] and a line to its parent joint;
/// right limbs orange, left ones blue, the rest green. Joints at (-1, -1) are left out.
data::Image pose_overlay(const data::Image& image, const at::Tensor& points);

}  // namespace stc::eval
