// What a loader gives for one step of training.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace stc::data {

/// Two independent views of each image (docs/method.md 1.1).
struct ImageBatch {
  at::Tensor query;                   ///< [n, 3, S, S] uint8 RGB
  at::Tensor key;                     ///< [n, 3, S, S] uint8 RGB
  std::vector<std::int64_t> samples;  ///< n indices into the data set, as used (after replacement)
};

/// Two frames of each video (docs/method.md 2.1, 2.2). Frame 0 is the reference (earlier), frame 1
/// the target.
struct ClipBatch {
  at::Tensor rgb;                     ///< [n, 2, 3, S, S] uint8 RGB
  at::Tensor lab;                     ///< [n, 2, 3, S, S] float32: (L - 50) / 50, a / 127, b / 127
  std::vector<std::int64_t> samples;  ///< n video indices, as used (after replacement)
};

}  // namespace stc::data
