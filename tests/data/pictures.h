// Pictures by formula for the tests of augmentations.
#pragma once

#include <cstdint>
#include <vector>

#include "data/images/image.h"

namespace stc::data {

/// Hard: neighbouring pixels differ by anything. The golden vectors were made from it.
inline Image rough_picture(int height, int width) {
  Image image{height, width, {}};
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        image.pixels.push_back(static_cast<std::uint8_t>(x * 37 + y * 71 + c * 101 + x * y * 13));
  return image;
}

/// As three planes, the layout that augmentations write.
inline std::vector<std::uint8_t> planes_of(const Image& image) {
  std::vector<std::uint8_t> planes(image.pixels.size());
  const std::size_t pixels = planes.size() / 3;
  for (std::size_t i = 0; i < pixels; ++i)
    for (std::size_t c = 0; c < 3; ++c) planes[c * pixels + i] = image.pixels[3 * i + c];
  return planes;
}

/// Largest difference of two byte vectors of equal length; 256 where the lengths differ.
inline int largest_difference(const std::vector<std::uint8_t>& a,
                              const std::vector<std::uint8_t>& b) {
  if (a.size() != b.size()) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const int difference = a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
    if (difference > largest) largest = difference;
  }
  return largest;
}

}  // namespace stc::data
