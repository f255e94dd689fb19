// The joints of one JHMDB clip, from its joint_positions.mat.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace stc::data {

/// [T, 15, 2], double: x and y in pixels, from 0, of `pos_img` of a MATLAB v5 file. Throws
/// stc::Error (kBadData) naming the file if it is not one, or pos_img is absent or not [2, 15,
/// T].
at::Tensor read_joints(const std::string& path);

}  // namespace stc::data
