// The two formats behind image.h, and EXIF's orientation. Private to data.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/images/image.h"

namespace stc::data {

Image decode_jpeg(std::span<const std::uint8_t> bytes, const std::string& name);
Image decode_png(std::span<const std::uint8_t> bytes, const std::string& name);

/// EXIF's tag 0x0112 of a JPEG or PNG: 1 to 8, and 1 (upright) where there is none or it makes no
/// sense.
int exif_orientation(std::span<const std::uint8_t> bytes);

/// Turns and mirrors an image so that it stands upright.
Image upright(const Image& image, int orientation);

/// Throws stc::Error (kBadData): a header damaged in its sizes must not ask for all the memory
/// there is.
void check_image_size(const std::string& name, std::uint64_t height, std::uint64_t width);

}  // namespace stc::data
