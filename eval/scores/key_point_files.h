// Predicted key points of a clip as CSV (docs/evaluation.md).
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace stc::eval {

/// FOLDER/CLASS/CLIP.csv, where a clip's key points are.
std::string key_points_path(const std::string& folder, const std::string& clip);

/// points [T, 15, 2], double: a line "frame,joint,x,y" for each, frames and joints from 0; every
/// digit is kept.
void write_key_points(const std::string& path, const at::Tensor& points);

/// [T, 15, 2], double, T the number of frames. Lines may come in any order. Throws stc::Error
/// (kBadData) naming file and line: another form, a joint that is absent or appears twice.
at::Tensor read_key_points(const std::string& path);

}  // namespace stc::eval
