// Golden cases against this build: each tensor's error and tolerance (docs/parity.md).
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "data/weights/safetensors.h"

namespace stc::launcher {

struct ParityRow {
  std::string tensor;
  double error = 0;      ///< see `measure`
  double tolerance = 0;  ///< passes when error <= tolerance
  /// "relative", "relative L2", "absolute" or "cells" (number of unequal ones)
  std::string measure;
  bool passes() const { return error <= tolerance; }  // NaN fails
};

struct ParityOptions {
  at::Device device = at::kCPU;
  bool in_double = false;
};

/// The kind is in the file's metadata: moco, step2, step2-features or propagation. Throws
/// stc::Error (kBadData) naming the file if the kind is unknown or a tensor is missing.
std::vector<ParityRow> parity_rows(const data::SafeTensors& golden,
                                   const std::string& file,
                                   const ParityOptions& options);

}  // namespace stc::launcher
