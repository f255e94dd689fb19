// Images and encoded files that tests draw themselves, each form of JPEG included.
#pragma once

#include <cstdint>
#include <vector>

#include "data/images/image.h"

namespace stc::test {

/// A smooth picture, different for each seed, that survives JPEG well.
data::Image smooth_image(int height, int width, int seed = 0);

struct JpegForm {
  int components = 3;  ///< 1 grey, 3 RGB, 4 CMYK as Adobe writes it (inverted)
  bool is_ycck = false;
  bool is_progressive = false;
  int quality = 95;
};
/// `samples`: height * width * components, interleaved.
std::vector<std::uint8_t> jpeg_of(const std::vector<std::uint8_t>& samples,
                                  int height,
                                  int width,
                                  const JpegForm& form);

/// An indexed or grey PNG of 1, 2, 4 or 8 bits a pixel.
std::vector<std::uint8_t> small_depth_png(const data::LabelMap& map, int bits, bool has_palette);

/// The JPEG with an EXIF block that holds this orientation.
std::vector<std::uint8_t> with_orientation(const std::vector<std::uint8_t>& jpeg,
                                           int orientation,
                                           bool is_big_endian);

}  // namespace stc::test
