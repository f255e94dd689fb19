// Predicted masks in files, and their truth.
#pragma once

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

}  // namespace stc::eval
