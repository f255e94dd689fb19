// Pictures to look at: label maps and key points over frames, and strips of frames.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "data/images/image.h"

namespace stc::eval {

/// The image with each label's colour (VOC palette, brightened) blended over its pixels, and in
/// full along its outline. Sizes must be equal. opacity in [0, 1].
data::Image overlay(const data::Image& image, const data::LabelMap& labels, double opacity = 0.4);

/// The image with a disc at each of JHMDB's joints [15, 2] and a line to its parent joint;
/// right limbs orange, left ones blue, the rest green. Joints at (-1, -1) are left out.
data::Image pose_overlay(const data::Image& image, const at::Tensor& points);

/// Smaller by averaging the pixels that fall together; the ratio is kept. An image that is no
/// higher stays as it is.
data::Image shrink(const data::Image& image, int height);

/// Pictures of one row side by side, rows one below the other, `gap` white pixels between. Rows may
/// differ in length, pictures in size; each keeps the upper left corner of its cell.
data::Image contact_sheet(const std::vector<std::vector<data::Image>>& rows, int gap);

}  // namespace stc::eval
