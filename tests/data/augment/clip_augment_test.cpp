#include "data/augment/clip_augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <vector>

#include "tests/data/pictures.h"

namespace stc::data {
namespace {

struct Rendered {
  std::vector<std::uint8_t> rgb;
  std::vector<float> lab;
};

Rendered rendered(const Image& frame, const ClipView& view, int size) {
  const std::size_t values = 3 * static_cast<std::size_t>(size) * size;
  Rendered result{std::vector<std::uint8_t>(values), std::vector<float>(values)};
  render_clip_frame(frame, view, size, result.rgb, result.lab);
  return result;
}

Image flat(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  Image image{8, 8, {}};
  for (int i = 0; i < 64; ++i) image.pixels.insert(image.pixels.end(), {red, green, blue});
  return image;
}

struct KnownColor {
  std::array<std::uint8_t, 3> rgb;
  std::array<double, 3> lab;
};

// L, a, b of OpenCV's float path (its table is up to 0.01 from the exact CIE values for these).
TEST(ClipFrame, GivesTheKnownLabOfKnownColors) {
  const std::vector<KnownColor> colors{{{255, 0, 0}, {53.241, 80.094, 67.203}},
                                       {{0, 255, 0}, {87.738, -86.188, 83.172}},
                                       {{0, 0, 255}, {32.294, 79.188, -107.859}},
                                       {{128, 128, 128}, {53.583, 0, 0}},
                                       {{255, 255, 255}, {100, 0, 0}},
                                       {{0, 0, 0}, {0, 0, 0}}};
  for (const KnownColor& color : colors) {
    const Image image = flat(color.rgb[0], color.rgb[1], color.rgb[2]);
    const Rendered result = rendered(image, {{0, 0, 8, 8}, false}, 4);
    for (int i = 0; i < 16; ++i) {
      EXPECT_NEAR(result.lab[i] * 50 + 50, color.lab[0], 0.02);
      EXPECT_NEAR(result.lab[16 + i] * 127, color.lab[1], 0.02);
      EXPECT_NEAR(result.lab[32 + i] * 127, color.lab[2], 0.02);
      for (int c = 0; c < 3; ++c) EXPECT_EQ(result.rgb[c * 16 + i], color.rgb[c]);
    }
  }
}

/// The exact CIE formulas (sRGB, D65), in double.
std::array<double, 3> cie_lab(double red, double green, double blue) {
  const auto linear = [](double v) {
    v /= 255;
    return v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  };
  const auto f = [](double t) { return t > 0.008856 ? std::cbrt(t) : 7.787 * t + 16.0 / 116; };
  const double r = linear(red);
  const double g = linear(green);
  const double b = linear(blue);
  const double x = f((0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.950456);
  const double y = f(0.212671 * r + 0.715160 * g + 0.072169 * b);
  const double z = f((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.088754);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

TEST(ClipFrame, LabFollowsTheCieFormulas) {
  const Image image = rough_picture(40, 40);
  const Rendered result = rendered(image, {{0, 0, 40, 40}, false}, 40);
  double mean = 0;
  for (int i = 0; i < 1600; ++i) {
    const auto exact =
        cie_lab(image.pixels[3 * i], image.pixels[3 * i + 1], image.pixels[3 * i + 2]);
    const std::array<double, 3> ours{
        result.lab[i] * 50.0 + 50.0, result.lab[1600 + i] * 127.0, result.lab[3200 + i] * 127.0};
    for (int c = 0; c < 3; ++c) {
      EXPECT_NEAR(ours[c], exact[c], 0.6);  // the table's error; without gamma it is about 14
      mean += std::abs(ours[c] - exact[c]) / 4800;
    }
  }
  EXPECT_LT(mean, 0.15);
}

/// Bilinear between the four nearest pixels, in double.
std::vector<std::uint8_t> bilinear(const Image& image, const CropBox& box, int size) {
  std::vector<std::uint8_t> out;
  const auto place = [size](int i, int input) {
    return std::clamp((i + 0.5) * input / size - 0.5, 0.0, input - 1.0);
  };
  for (int c = 0; c < 3; ++c)
    for (int y = 0; y < size; ++y)
      for (int x = 0; x < size; ++x) {
        const double v = place(y, box.height);
        const double u = place(x, box.width);
        const int top = static_cast<int>(v);
        const int left = static_cast<int>(u);
        const auto pixel = [&](int dy, int dx) {
          const int row = box.y + std::min(top + dy, box.height - 1);
          const int column = box.x + std::min(left + dx, box.width - 1);
          return static_cast<double>(image.pixels[(row * image.width + column) * 3 + c]);
        };
        const double upper = pixel(0, 0) + (u - left) * (pixel(0, 1) - pixel(0, 0));
        const double lower = pixel(1, 0) + (u - left) * (pixel(1, 1) - pixel(1, 0));
        out.push_back(static_cast<std::uint8_t>(std::lround(upper + (v - top) * (lower - upper))));
      }
  return out;
}

TEST(ClipFrame, ResizesBetweenTheFourNearestPixels) {
  const Image image = rough_picture(90, 130);
  for (const CropBox box :
       {CropBox{0, 0, 130, 90}, CropBox{11, 5, 97, 53}, CropBox{100, 60, 20, 12}})
    EXPECT_LE(largest_difference(rendered(image, {box, false}, 32).rgb, bilinear(image, box, 32)),
              1);
}

TEST(ClipFrame, FlipMirrorsRgbAndLab) {
  const Image image = rough_picture(50, 60);
  const Rendered straight = rendered(image, {{4, 3, 50, 30}, false}, 32);
  const Rendered flipped = rendered(image, {{4, 3, 50, 30}, true}, 32);
  for (int row = 0; row < 96; ++row)
    for (int x = 0; x < 32; ++x) {
      ASSERT_EQ(flipped.rgb[row * 32 + x], straight.rgb[row * 32 + 31 - x]);
      ASSERT_EQ(flipped.lab[row * 32 + x], straight.lab[row * 32 + 31 - x]);
    }
}

TEST(ClipFrames, StartsUniformlyAndShortensTheGapOfShortVideos) {
  std::map<std::int64_t, int> starts;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    CounterRandom random(2, Purpose::kClipStart, 0, i);
    const ClipFrames frames = draw_clip_frames(random, 10, 2);
    EXPECT_EQ(frames.target, frames.reference + 2);
    ++starts[frames.reference];
  }
  EXPECT_EQ(starts.size(), 8U);  // 0 to 10 - 1 - 2
  EXPECT_EQ(starts.begin()->first, 0);
  for (const auto& [start, count] : starts) EXPECT_NEAR(count, 500, 110) << start;

  CounterRandom random(2, Purpose::kClipStart, 0, 0);
  const ClipFrames frames = draw_clip_frames(random, 3, 5);
  EXPECT_EQ(frames.reference, 0);
  EXPECT_EQ(frames.target, 2);
}

TEST(ClipView, FlipsEverySecondClip) {
  int flips = 0;
  for (std::uint64_t i = 0; i < 4000; ++i) {
    CounterRandom random(2, Purpose::kClipView, 0, i);
    flips += draw_clip_view(random, 480, 854, {}).flip;
  }
  EXPECT_NEAR(flips, 2000, 160);
}

}  // namespace
}  // namespace stc::data
