// How a camera was held, as EXIF has it. Private to data.
#pragma once

#include <cstdint>
#include <span>

#include "data/images/image.h"

namespace stc::data {

/// EXIF's tag 0x0112 of a JPEG or PNG: 1 to 8, and 1 (upright) if it is absent or out of range.
int exif_orientation(std::span<const std::uint8_t> bytes);

/// Turns and mirrors an image so that it stands upright.
Image upright(const Image& image, int orientation);

}  // namespace stc::data
