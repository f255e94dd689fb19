// Predictions in files: masks, and key points as CSV (docs/evaluation.md).
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "data/images/image.h"

namespace stc::eval {

/// FOLDER/CLIP/FRAME.png, where the prediction for `annotation` is.
std::string predicted_path(const std::string& folder,
                           const std::string& clip,
                           const std::string& annotation);

/// Throws stc::Error (kBadData) naming `path` if the sizes differ.
void check_same_size(const std::string& path,
                     const data::LabelMap& prediction,
                     const data::LabelMap& truth);

/// FOLDER/CLASS/CLIP.csv, where a clip's key points are.
std::string key_points_path(const std::string& folder, const std::string& clip);

/// points [T, 15, 2], double: a line "frame,joint,x,y" for each, frames and joints from 0; every
/// digit is kept.
void write_key_points(const std::string& path, const at::Tensor& points);

/// [T, 15, 2], double, T the number of frames. Lines may come in any order. Throws stc::Error
/// (kBadData) naming file and line: another form, a joint that is absent or appears twice.
at::Tensor read_key_points(const std::string& path);

}  // namespace stc::eval
