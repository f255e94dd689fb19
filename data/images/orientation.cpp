#include "data/images/image_codecs.h"

#include <algorithm>
#include <string_view>

namespace stc::data {
namespace {

using Bytes = std::span<const std::uint8_t>;

std::uint32_t number(Bytes bytes, std::size_t at, std::size_t count, bool big_endian) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    value = value << 8 | bytes[at + (big_endian ? i : count - 1 - i)];
  }
  return value;
}

bool starts_with(Bytes bytes, std::string_view start) {
  return bytes.size() >= start.size() && std::equal(start.begin(), start.end(), bytes.begin());
}

// A TIFF header and the first directory after it.
int orientation_of_tiff(Bytes tiff) {
  if (tiff.size() < 8 || tiff[0] != tiff[1] || (tiff[0] != 'M' && tiff[0] != 'I')) return 1;
  const bool big_endian = tiff[0] == 'M';
  const std::size_t directory = number(tiff, 4, 4, big_endian);
  if (directory > tiff.size() || tiff.size() - directory < 2) return 1;
  const std::size_t entries = number(tiff, directory, 2, big_endian);
  for (std::size_t i = 0; i < entries; ++i) {
    const std::size_t entry = directory + 2 + 12 * i;
    if (entry + 12 > tiff.size()) return 1;
    if (number(tiff, entry, 2, big_endian) != 0x0112) continue;
    const auto value = number(tiff, entry + 8, 2, big_endian);
    return value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Bytes exif_of_jpeg(Bytes bytes) {
  std::size_t at = 2;
  while (at + 4 <= bytes.size() && bytes[at] == 0xff) {
    const auto marker = bytes[at + 1];
    const std::size_t length = number(bytes, at + 2, 2, true);
    if (marker == 0xda || length < 2 || at + 2 + length > bytes.size()) break;
    const auto segment = bytes.subspan(at + 4, length - 2);
    if (marker == 0xe1 && starts_with(segment, {"Exif\0\0", 6})) return segment.subspan(6);
    at += 2 + length;
  }
  return {};
}

Bytes exif_of_png(Bytes bytes) {
  std::size_t at = 8;
  while (at + 12 <= bytes.size()) {
    const std::size_t length = number(bytes, at, 4, true);
    if (length > bytes.size() - at - 12) break;
    if (starts_with(bytes.subspan(at + 4), "eXIf")) return bytes.subspan(at + 8, length);
    at += 12 + length;
  }
  return {};
}

}  // namespace

int exif_orientation(Bytes bytes) {
  switch (image_format(bytes)) {
    case ImageFormat::kJpeg:
      return orientation_of_tiff(exif_of_jpeg(bytes));
    case ImageFormat::kPng:
      return orientation_of_tiff(exif_of_png(bytes));
    case ImageFormat::kOther:
      break;
  }
  return 1;
}

Image upright(const Image& image, int orientation) {
  // Orientations 5 to 8 swap rows and columns; the corner that (0, 0) of the stored image shows
  // follows from the rest.
  const bool swaps = orientation >= 5;
  const bool from_right = orientation == 2 || orientation == 3 || orientation >= 7;
  const bool from_bottom =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image result =
      swaps ? blank_image(image.width, image.height) : blank_image(image.height, image.width);
  auto* target = result.pixels.data();
  for (int y = 0; y < result.height; ++y) {
    for (int x = 0; x < result.width; ++x, target += 3) {
      const int row = swaps ? x : y;
      const int column = swaps ? y : x;
      const int source_y = from_bottom ? image.height - 1 - row : row;
      const int source_x = from_right ? image.width - 1 - column : column;
      std::copy_n(image.at(source_y, source_x), 3, target);
    }
  }
  return result;
}

}  // namespace stc::data
