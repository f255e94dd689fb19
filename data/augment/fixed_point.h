// Arithmetic of the loops over pixels that are weighted means: resize and blur.
#pragma once

#include <cstdint>

namespace stc::data {

// Samples in units of 1/128 and weights in units of 1/65536, so that a product's upper half is in
// units of 1/128 again. Eight samples fit an SSE2 register that holds four floats. Cutting off the
// lower halves costs half a unit a tap on average, which the sums start with.
using Fixed = std::uint16_t;
constexpr int kFixedBits = 7;
constexpr int kHalfLevel = 1 << (kFixedBits - 1);  // what rounding to a grey level adds

inline Fixed scaled(Fixed value, Fixed weight) {
  return static_cast<Fixed>((std::uint32_t{value} * weight) >> 16);
}

}  // namespace stc::data
