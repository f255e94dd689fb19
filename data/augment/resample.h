// Crop and resize of a photograph, with antialiasing.
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

}  // namespace stc::data
