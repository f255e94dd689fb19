#include "data/augment/pixel_filters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "monitoring/check.h"
#include "tests/data/pictures.h"

namespace stc::data {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes resized(const Image& image, const CropBox& box, int size, bool flip = false) {
  Bytes out(3 * static_cast<std::size_t>(size) * size);
  resized_crop(image, box, size, flip, out.data());
  return out;
}

/// The triangle around output place `i`, evaluated at every input place, in double.
std::vector<double> triangle(int i, int input, int output) {
  const double scale = static_cast<double>(input) / output;
  const double support = std::max(1.0, scale);
  std::vector<double> weights(input);
  double sum = 0;
  for (int x = 0; x < input; ++x) {
    weights[x] = std::max(0.0, 1.0 - std::abs((x + 0.5) - (i + 0.5) * scale) / support);
    sum += weights[x];
  }
  for (double& weight : weights) weight /= sum;
  return weights;
}

/// Slow and obvious: every output pixel is a weighted mean over the whole box.
Bytes direct(const Image& image, const CropBox& box, int size) {
  Bytes out;
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < size; ++y)
      for (int x = 0; x < size; ++x) {
        const auto down = triangle(y, box.height, size);
        const auto across = triangle(x, box.width, size);
        double sum = 0;
        for (int v = 0; v < box.height; ++v)
          for (int u = 0; u < box.width; ++u)
            sum +=
                down[v] * across[u] * image.pixels[((box.y + v) * image.width + box.x + u) * 3 + c];
        out.push_back(static_cast<std::uint8_t>(std::lround(sum)));
      }
  return out;
}

TEST(ResizedCrop, EqualsTheDirectSum) {
  const Image image = rough_picture(50, 61);
  for (const CropBox box : {CropBox{0, 0, 61, 50},
                            CropBox{3, 7, 40, 31},
                            CropBox{60, 49, 1, 1},
                            CropBox{10, 0, 1, 50},
                            CropBox{0, 20, 61, 1},
                            CropBox{5, 6, 7, 9}})
    for (const int size : {1, 7, 16, 33})
      EXPECT_LE(largest_difference(resized(image, box, size), direct(image, box, size)), 1)
          << box.width << " x " << box.height << " to " << size;
}

TEST(ResizedCrop, FlipMirrorsEachRow) {
  const Image image = rough_picture(40, 30);
  const Bytes straight = resized(image, {2, 3, 25, 31}, 19);
  const Bytes flipped = resized(image, {2, 3, 25, 31}, 19, true);
  for (int row = 0; row < 3 * 19; ++row)
    for (int x = 0; x < 19; ++x) ASSERT_EQ(flipped[row * 19 + x], straight[row * 19 + 18 - x]);
}

TEST(ResizedCrop, AtScaleOneCopies) {
  const Image image = rough_picture(20, 20);
  EXPECT_EQ(resized(image, {0, 0, 20, 20}, 20), planes_of(image));
}

// torchvision 0.28.0: v2.functional.resized_crop(uint8 tensor, top, left, height, width,
// antialias=True).
TEST(ResizedCrop, AgreesWithTorchvision) {
  const Image image = rough_picture(12, 16);
  const Bytes down{98,  108, 122, 112, 122, 127, 135, 137, 150, 128, 111, 151, 148, 138, 111,
                   151, 170, 126, 141, 147, 104, 121, 132, 149, 130, 127, 128, 129, 132, 134,
                   136, 138, 144, 153, 124, 162, 150, 130, 113, 138, 124, 150, 128, 119, 131,
                   115, 130, 108, 122, 149, 139, 120, 126, 137, 102, 152, 142, 154, 114, 117,
                   153, 123, 117, 135, 145, 111, 123, 142, 135, 104, 134, 126, 123, 120, 102};
  EXPECT_LE(largest_difference(resized(image, {1, 2, 13, 9}, 5), down), 1);
  const Bytes up{5,   24,  62,  81,  82,  103, 145, 166, 174, 174, 173, 172, 251, 213, 136, 97,
                 106, 125, 163, 182, 183, 164, 126, 107, 179, 163, 130, 113, 96,  122, 173, 198,
                 207, 162, 72,  27,  124, 121, 115, 112, 120, 120, 119, 118, 197, 159, 82,  43};
  EXPECT_LE(largest_difference(resized(image, {4, 3, 2, 3}, 4), up), 1);
}

TEST(ResizedCrop, RefusesABoxOutsideTheImage) {
  const Image image = rough_picture(10, 10);
  EXPECT_THROW(resized(image, {1, 0, 10, 10}, 4), Error);
  EXPECT_THROW(resized(image, {0, 0, 0, 10}, 4), Error);
}

}  // namespace
}  // namespace stc::data
