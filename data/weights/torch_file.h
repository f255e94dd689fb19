// Weights as torch.save writes them: both its zip files and the form before PyTorch 1.6, in which
// many published weights come.
#pragma once

#include <string>

#include "data/weights/safetensors.h"

namespace stc::data {

/// Whether the file begins as torch.save begins one. Throws stc::Error (kBadData) if it cannot be
/// read.
bool is_torch_file(const std::string& path);

/// All tensors that the file's dicts hold, by their keys joined with dots
/// ("state_dict.conv1.weight"), CPU. No code that the file names is run; objects of other classes
/// are skipped. Throws stc::Error (kBadData) naming the file if it is not such a file, damaged, or
/// cut short.
NamedTensors read_torch_file(const std::string& path);

}  // namespace stc::data
