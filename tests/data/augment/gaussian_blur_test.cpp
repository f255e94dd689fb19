#include "data/augment/pixel_filters.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "monitoring/check.h"
#include "tests/data/pictures.h"

namespace stc::data {
namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes plane(int size) {
  Bytes planes = planes_of(rough_picture(size, size));
  planes.resize(static_cast<std::size_t>(size) * size);
  return planes;
}

Bytes blurred(Bytes values, int size, double sigma) {
  gaussian_blur(values.data(), size, sigma);
  return values;
}

int mirrored(int place, int size) {
  while (size > 1 && (place < 0 || place >= size))
    place = place < 0 ? -place : 2 * (size - 1) - place;
  return size == 1 ? 0 : place;
}

/// Slow and obvious: the two-dimensional sum in double.
Bytes direct(const Bytes& values, int size, double sigma) {
  const int radius = static_cast<int>(std::ceil(4 * sigma));
  Bytes out;
  for (int y = 0; y < size; ++y)
    for (int x = 0; x < size; ++x) {
      double sum = 0;
      double total = 0;
      for (int v = -radius; v <= radius; ++v)
        for (int u = -radius; u <= radius; ++u) {
          const double weight = std::exp(-0.5 * (u * u + v * v) / (sigma * sigma));
          sum += weight * values[mirrored(y + v, size) * size + mirrored(x + u, size)];
          total += weight;
        }
      out.push_back(static_cast<std::uint8_t>(std::lround(sum / total)));
    }
  return out;
}

TEST(GaussianBlur, EqualsTheDirectSum) {
  for (const int size : {1, 2, 5, 31, 40})
    for (const double sigma : {0.1, 0.3, 0.8, 1.3, 2.0, 3.1})
      EXPECT_LE(
          largest_difference(blurred(plane(size), size, sigma), direct(plane(size), size, sigma)),
          1)
          << "side " << size << ", sigma " << sigma;
}

TEST(GaussianBlur, LeavesAFlatPlaneAlone) {
  for (const int value : {0, 1, 127, 254, 255}) {
    const Bytes flat(33 * 33, static_cast<std::uint8_t>(value));
    EXPECT_EQ(blurred(flat, 33, 0.1), flat);
    EXPECT_EQ(blurred(flat, 33, 2.0), flat);
  }
}

TEST(GaussianBlur, SpreadsAPointToItsVariance) {
  constexpr int kSize = 41;
  Bytes point(kSize * kSize);
  for (int y = 19; y <= 21; ++y)
    for (int x = 19; x <= 21; ++x) point[y * kSize + x] = 255;
  const Bytes spread = blurred(point, kSize, 2.0);
  double mass = 0;
  double second = 0;
  for (int y = 0; y < kSize; ++y)
    for (int x = 0; x < kSize; ++x) {
      mass += spread[y * kSize + x];
      second += spread[y * kSize + x] * (x - 20.0) * (x - 20.0);
    }
  EXPECT_NEAR(second / mass, 2.0 / 3.0 + 4.0, 0.2);  // of the 3 x 3 point, and of the blur
}

// torchvision 0.28.0: v2.functional.gaussian_blur(uint8 tensor, [9, 9], [0.8, 0.8]).
TEST(GaussianBlur, AgreesWithTorchvision) {
  const Bytes expected{62,  82,  116, 131, 116, 128, 135, 121, 96,  108, 123, 128, 107,
                       111, 115, 112, 136, 125, 105, 108, 106, 112, 102, 104, 123, 112,
                       110, 109, 100, 114, 123, 135, 106, 117, 125, 116, 128, 138, 127,
                       126, 120, 123, 114, 120, 155, 157, 138, 126, 130, 119, 115, 111,
                       149, 166, 155, 149, 145, 132, 135, 123, 153, 170, 166, 162};
  EXPECT_LE(largest_difference(blurred(plane(8), 8, 0.8), expected), 1);
}

TEST(GaussianBlur, RefusesASigmaOfNothing) { EXPECT_THROW(blurred(plane(4), 4, 0.0), Error); }

}  // namespace
}  // namespace stc::data
