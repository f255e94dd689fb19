// The two formats behind image.h, and how a camera was held. Private to data.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/images/image.h"

namespace stc::data {

Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name);
Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name);

/// Throws stc::Error (kBadData) for an image that is too large: damaged sizes in a header must not
/// ask for all of the memory.
void check_image_size(const std::string& name, std::uint64_t height, std::uint64_t width);

/// EXIF's tag 0x0112 of a JPEG or PNG: 1 to 8, and 1 (upright) if it is absent or out of range.
int exif_orientation(std::span<const std::uint8_t> bytes);

/// Turns and mirrors an image so that it stands upright.
Image upright(const Image& image, int orientation);

}  // namespace stc::data
