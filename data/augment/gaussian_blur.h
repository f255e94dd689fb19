// Blur with a true Gaussian.
#pragma once

#include <cstdint>

namespace stc::data {

/// Blurs a size x size plane in place: a sampled Gaussian of `sigma` pixels (above 0, at most 10)
/// cut at ceil(4 sigma) and normalised, edges reflected without repeating the edge pixel, as
/// torchvision's gaussian_blur does; rounded once, at the end.
void gaussian_blur(std::uint8_t* plane, int size, double sigma);

}  // namespace stc::data
