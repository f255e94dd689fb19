// Weights as torch.save writes them: both its zip files and the form before PyTorch 1.6, in which
// much that is published comes.
#pragma once

#include <string>

#include "data/weights/safetensors.h"

namespace stc::data {

/// All tensors that the file's dicts hold, by their keys joined with dots
/// ("state_dict.conv1.weight"), CPU. No code that the file names is run; objects of other classes
/// are passed over. Throws stc::Error (kBadData) naming the file where it is no such file, damaged,
/// or cut short.
NamedTensors read_torch_file(const std::string& path);

}  // namespace stc::data
