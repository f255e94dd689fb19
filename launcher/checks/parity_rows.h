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

/// Computes the case `golden`, read from `file`, on `device` in float or double; its kind is in the
/// metadata. Throws stc::Error (kBadData) naming what the case lacks.
std::vector<ParityRow> parity_rows(const data::SafeTensors& golden,
                                   const std::string& file,
                                   at::Device device,
                                   at::ScalarType dtype);

}  // namespace stc::launcher
