// The safetensors format: an 8-byte length, a JSON header, raw little-endian tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace stc::data {

using NamedTensors = std::map<std::string, at::Tensor>;

struct SafeTensors {
  NamedTensors tensors;                         ///< CPU, contiguous
  std::map<std::string, std::string> metadata;  ///< "__metadata__"; may be empty
};

/// Whether the file begins as one of safetensors does. Throws stc::Error (kBadData) if it cannot be
/// read.
bool is_safetensors_file(const std::string& path);

/// Reads the whole file. Throws stc::Error (kBadData) naming the file if it is missing, cut
/// short, not safetensors, or its offsets do not fit.
SafeTensors read_safetensors(const std::string& path);

/// Writes tensors (moved to the CPU, made contiguous), wide types first and then by name: equal
/// input gives equal bytes. The file is written, synced and complete when the call returns; throws
/// stc::Error naming path and cause (disk full) and leaves no file.
void write_safetensors(const std::string& path,
                       const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata = {});

}  // namespace stc::data
