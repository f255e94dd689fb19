// Lab of RGB on a GPU: the colours that render_clip_frame() makes on the CPU, looked up.
#pragma once

#include <ATen/core/Tensor.h>

namespace stc::data {

/// The Lab of all 2^24 colours, computed once by the same OpenCV call as on the CPU: its float
/// conversion is itself a table with interpolation, up to 0.43 Lab units from the formula. 192 MiB.
class LabTable {
 public:
  explicit LabTable(at::Device device);

  /// rgb [..., 3, H, W] uint8 on the table's device -> float32 of the same shape: (L - 50) / 50,
  /// a / 127, b / 127, equal to the bit to render_clip_frame()'s.
  at::Tensor operator()(const at::Tensor& rgb) const;

 private:
  at::Tensor colours_;  // [2^24, 3], red being the highest byte of a row's number
};

}  // namespace stc::data
