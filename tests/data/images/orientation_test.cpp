#include <gtest/gtest.h>

#include "data/images/image_codecs.h"
#include "tests/data/test_images.h"

namespace stc::data {
namespace {

Image mirrored(const Image& image) {
  auto result = image;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        result.pixels[(y * image.width + x) * 3 + c] =
            image.pixels[(y * image.width + image.width - 1 - x) * 3 + c];
      }
    }
  }
  return result;
}

Image turned_clockwise(const Image& image) {
  Image result{image.width, image.height, std::vector<std::uint8_t>(image.pixels.size())};
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const int to_x = image.height - 1 - y;
      for (int c = 0; c < 3; ++c) {
        result.pixels[(x * result.width + to_x) * 3 + c] =
            image.pixels[(y * image.width + x) * 3 + c];
      }
    }
  }
  return result;
}

// EXIF 2.3, tag Orientation, as "what to do to see it upright".
Image by_the_book(const Image& image, int orientation) {
  switch (orientation) {
    case 2:
      return mirrored(image);
    case 3:
      return turned_clockwise(turned_clockwise(image));
    case 4:
      return turned_clockwise(turned_clockwise(mirrored(image)));
    case 5:
      return turned_clockwise(turned_clockwise(turned_clockwise(mirrored(image))));
    case 6:
      return turned_clockwise(image);
    case 7:
      return turned_clockwise(mirrored(image));
    case 8:
      return turned_clockwise(turned_clockwise(turned_clockwise(image)));
    default:
      return image;
  }
}

TEST(Orientation, IsAppliedOnlyWhenAskedFor) {
  const auto plain = encode_jpeg(test::smooth_image(8, 24), 95);
  const auto upright_image = decode_image(plain, "x");
  for (int orientation = 1; orientation <= 8; ++orientation) {
    for (const bool is_big_endian : {false, true}) {
      const auto bytes = test::with_orientation(plain, orientation, is_big_endian);
      EXPECT_EQ(exif_orientation(bytes), orientation);
      EXPECT_EQ(decode_image(bytes, "x").pixels, upright_image.pixels);
      const auto turned = decode_image(bytes, "x", true);
      const auto expected = by_the_book(upright_image, orientation);
      EXPECT_EQ(turned.height, expected.height) << orientation;
      EXPECT_EQ(turned.pixels, expected.pixels) << orientation;
    }
  }
}

TEST(Orientation, IsUprightWhereExifMakesNoSense) {
  const auto plain = encode_jpeg(test::smooth_image(8, 8), 95);
  EXPECT_EQ(exif_orientation(plain), 1);
  for (const int orientation : {0, 9, 200}) {
    EXPECT_EQ(exif_orientation(test::with_orientation(plain, orientation, true)), 1);
  }
  const auto bytes = test::with_orientation(plain, 6, true);
  for (std::size_t length = 0; length < 40; ++length) {
    const int orientation = exif_orientation(std::span(bytes).first(length));
    EXPECT_TRUE(orientation == 1 || orientation == 6) << length;
  }
}

}  // namespace
}  // namespace stc::data
