#include "data/augment/color_jitter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include "tests/data/pictures.h"

namespace stc::data {
namespace {

using Bytes = std::vector<std::uint8_t>;
using Color = std::array<double, 3>;
using Change = void (*)(std::uint8_t*, std::int64_t, double);

Bytes changed(Bytes rgb, Change change, double amount) {
  change(rgb.data(), static_cast<std::int64_t>(rgb.size() / 3), amount);
  return rgb;
}

/// Slow and obvious: one pixel at a time in double.
Bytes direct(const Bytes& rgb, const std::function<Color(const Color&)>& formula) {
  Bytes out(rgb.size());
  const std::size_t pixels = rgb.size() / 3;
  for (std::size_t i = 0; i < pixels; ++i) {
    const Color result = formula({static_cast<double>(rgb[i]),
                                  static_cast<double>(rgb[pixels + i]),
                                  static_cast<double>(rgb[2 * pixels + i])});
    for (std::size_t c = 0; c < 3; ++c)
      out[c * pixels + i] = static_cast<std::uint8_t>(std::clamp(result[c], 0.0, 255.0));
  }
  return out;
}

double luma(const Color& color) {
  return std::floor(0.2989 * color[0] + 0.587 * color[1] + 0.114 * color[2]);
}

Color blend(const Color& color, const Color& other, double factor) {
  Color result;
  for (std::size_t c = 0; c < 3; ++c) result[c] = factor * color[c] + (1 - factor) * other[c];
  return result;
}

/// By way of HSV and its six sectors, as textbooks have it.
Color turned(const Color& color, double turn) {
  const double value = *std::max_element(color.begin(), color.end());
  const double chroma = value - *std::min_element(color.begin(), color.end());
  if (chroma == 0) return color;
  double hue = 0;
  if (value == color[0])
    hue = (color[1] - color[2]) / chroma;
  else if (value == color[1])
    hue = 2 + (color[2] - color[0]) / chroma;
  else
    hue = 4 + (color[0] - color[1]) / chroma;
  hue = std::fmod(hue + 6 * turn + 12, 6.0);
  const double rising = value - chroma * (1 - (hue - std::floor(hue)));
  const double falling = value - chroma * (hue - std::floor(hue));
  const double low = value - chroma;
  switch (static_cast<int>(hue)) {
    case 0:
      return {value, rising, low};
    case 1:
      return {falling, value, low};
    case 2:
      return {low, value, rising};
    case 3:
      return {low, falling, value};
    case 4:
      return {rising, low, value};
    default:
      return {value, low, falling};
  }
}

const std::vector<double> kFactors{0.0, 0.6, 0.93, 1.0, 1.07, 1.4, 3.0};

TEST(ColorJitter, BrightnessScales) {
  const Bytes rgb = planes_of(rough_picture(37, 41));
  for (const double factor : kFactors) {
    const auto formula = [&](const Color& color) { return blend(color, {0, 0, 0}, factor); };
    EXPECT_LE(largest_difference(changed(rgb, adjust_brightness, factor), direct(rgb, formula)), 1)
        << factor;
  }
}

TEST(ColorJitter, ContrastMovesFromTheMeanLuma) {
  const Bytes rgb = planes_of(rough_picture(37, 41));
  double mean = 0;
  direct(rgb, [&](const Color& color) {
    mean += luma(color) / (37.0 * 41.0);
    return color;
  });
  for (const double factor : kFactors) {
    const auto formula = [&](const Color& color) {
      return blend(color, {mean, mean, mean}, factor);
    };
    EXPECT_LE(largest_difference(changed(rgb, adjust_contrast, factor), direct(rgb, formula)), 1)
        << factor;
  }
}

TEST(ColorJitter, SaturationMovesFromThePixelsLuma) {
  const Bytes rgb = planes_of(rough_picture(37, 41));
  for (const double factor : kFactors) {
    const auto formula = [&](const Color& color) {
      return blend(color, {luma(color), luma(color), luma(color)}, factor);
    };
    EXPECT_LE(largest_difference(changed(rgb, adjust_saturation, factor), direct(rgb, formula)), 1)
        << factor;
  }
}

TEST(ColorJitter, HueTurnsTheCircle) {
  Bytes rgb = planes_of(rough_picture(64, 64));
  for (const double turn : {-0.5, -0.1, -0.03, 0.0, 0.07, 0.1, 1.0 / 3.0, 0.5}) {
    const auto formula = [&](const Color& color) { return turned(color, turn); };
    EXPECT_LE(largest_difference(changed(rgb, adjust_hue, turn), direct(rgb, formula)), 1) << turn;
  }
}

TEST(ColorJitter, HueLeavesGraysAndAFullTurnAlone) {
  Bytes gray;
  for (int plane = 0; plane < 3; ++plane)
    for (int value = 0; value < 256; ++value) gray.push_back(static_cast<std::uint8_t>(value));
  EXPECT_EQ(changed(gray, adjust_hue, 0.1), gray);
  const Bytes red{200, 10, 10};
  EXPECT_LE(largest_difference(changed(red, adjust_hue, 1.0 / 3.0), {10, 200, 10}), 1);
}

TEST(ColorJitter, GrayCopiesTheLumaIntoThreePlanes) {
  const Bytes rgb = planes_of(rough_picture(37, 41));
  Bytes gray = rgb;
  make_gray(gray.data(), 37 * 41);
  const auto formula = [](const Color& color) {
    return Color{luma(color), luma(color), luma(color)};
  };
  EXPECT_LE(largest_difference(gray, direct(rgb, formula)), 1);
}

// torchvision 0.28.0: v2.functional.adjust_*(uint8 tensor, factor).
TEST(ColorJitter, AgreesWithTorchvision) {
  const Bytes rgb = planes_of(rough_picture(4, 4));
  const Bytes brighter{0,   49, 99,  149, 95,  163, 230, 255, 191, 255, 16, 101,
                       255, 44, 147, 249, 136, 186, 236, 255, 232, 255, 21, 89,
                       255, 67, 152, 237, 78,  180, 255, 40,  255, 255, 27, 76,
                       22,  90, 157, 225, 118, 203, 255, 28,  214, 255, 74, 176};
  const Bytes flatter{43,  67, 91,  115, 89,  122, 154, 187, 135, 176, 51, 92,
                      181, 64, 114, 163, 109, 133, 157, 181, 155, 187, 53, 86,
                      201, 76, 116, 157, 81,  130, 180, 63,  174, 198, 56, 80,
                      54,  87, 119, 152, 100, 141, 182, 57,  146, 196, 79, 128};
  const Bytes richer{0,   4,  52,  89,  49,  99,  210, 255, 120, 244, 0,  53,
                     252, 0,  87,  224, 108, 145, 194, 231, 191, 241, 0,  43,
                     255, 27, 120, 195, 35,  141, 229, 7,   249, 255, 0,  14,
                     0,   24, 134, 184, 45,  168, 255, 0,   176, 255, 12, 148};
  const Bytes turned_back{0,   37, 167, 204, 164, 214, 132, 182, 235, 166, 12, 168,
                          174, 33, 202, 146, 202, 239, 175, 212, 172, 222, 16, 66,
                          243, 50, 214, 176, 58,  235, 210, 30,  182, 219, 20, 57,
                          17,  67, 171, 221, 88,  205, 194, 21,  213, 215, 55, 185};
  EXPECT_LE(largest_difference(changed(rgb, adjust_brightness, 1.35), brighter), 1);
  EXPECT_LE(largest_difference(changed(rgb, adjust_contrast, 0.65), flatter), 1);
  EXPECT_LE(largest_difference(changed(rgb, adjust_saturation, 1.4), richer), 1);
  EXPECT_LE(largest_difference(changed(rgb, adjust_hue, -0.1), turned_back), 1);
}

}  // namespace
}  // namespace stc::data
