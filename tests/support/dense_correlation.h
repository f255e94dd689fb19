// The slow, obvious form of windowed correlation: the whole HW x HW map.
#pragma once

#include <ATen/ATen.h>

#include <cmath>

namespace stc::test {

inline at::Tensor dense_window(std::int64_t height, std::int64_t width, std::int64_t radius) {
  const auto cell = at::arange(height * width);
  const auto y = at::div(cell, width, "floor"), x = cell.remainder(width);
  const auto near = [&](const at::Tensor& v) {
    return (v.unsqueeze(1) - v.unsqueeze(0)).abs() <= radius;
  };
  return near(y).logical_and(near(x));
}

/// [B, HW, HW] softmax of <target_i, reference_j> / sqrt(C) over the window.
inline at::Tensor dense_correlation(const at::Tensor& target,
                                    const at::Tensor& reference,
                                    const at::Tensor& window) {
  const double scale = 1 / std::sqrt(static_cast<double>(target.size(1)));
  const auto dots = at::einsum("bci,bcj->bij", {target.flatten(2), reference.flatten(2)}) * scale;
  return at::softmax(dots.masked_fill(window.logical_not(), -INFINITY), -1);
}

}  // namespace stc::test
