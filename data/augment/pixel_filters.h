// Weighted means of pixels: antialiased crop and resize, and a true Gaussian blur.
#pragma once

#include <cstdint>

#include "data/augment/crop.h"
#include "data/images/image.h"

namespace stc::data {

/// Crops `box` (which must lie within the image) and resizes it to size x size with a triangle
/// filter that widens with the scale, as PIL's BILINEAR and torchvision's antialiased resize do;
/// `flip` mirrors it left to right. `out` takes 3 * size * size bytes: red plane, green plane, blue
/// plane.
void resized_crop(const Image& image, const CropBox& box, int size, bool flip, std::uint8_t* out);

/// Blurs a size x size plane in place: a sampled Gaussian of `sigma` pixels (above 0, at most 10)
/// cut at ceil(4 sigma) and normalised, edges reflected without repeating the edge pixel, as
/// torchvision's gaussian_blur does; rounded once, at the end.
void gaussian_blur(std::uint8_t* plane, int size, double sigma);

}  // namespace stc::data
