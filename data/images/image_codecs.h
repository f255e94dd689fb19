// The two formats behind image.h. Private to data.
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

}  // namespace stc::data
