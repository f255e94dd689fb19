#include "data/augment/image_augment.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "data/augment/color_jitter.h"
#include "data/augment/pixel_filters.h"
#include "tests/data/pictures.h"

namespace stc::data {
namespace {

using Bytes = std::vector<std::uint8_t>;

constexpr int kSize = 32;
constexpr int kPixels = kSize * kSize;

Bytes rendered(const Image& image, const ImageView& view) {
  Bytes out(3 * kPixels);
  render_image_view(image, view, kSize, out);
  return out;
}

ImageView drawn(std::uint64_t index, const ImageOptions& options = {}) {
  CounterRandom random(4, Purpose::kQueryView, 0, index);
  return draw_image_view(random, 300, 400, options);
}

TEST(ImageView, DrawsEachChangeWithItsProbabilityAndRange) {
  constexpr int kDraws = 5000;
  int jitter = 0;
  int gray = 0;
  int blur = 0;
  int flip = 0;
  std::set<std::array<ColorChange, 4>> orders;
  for (int i = 0; i < kDraws; ++i) {
    const ImageView view = drawn(i);
    jitter += view.jitter;
    gray += view.gray;
    blur += view.blur_sigma > 0;
    flip += view.flip;
    orders.insert(view.order);
    for (const double factor : {view.brightness, view.contrast, view.saturation}) {
      ASSERT_GE(factor, 0.6);
      ASSERT_LE(factor, 1.4);
    }
    ASSERT_GE(view.hue, -0.1);
    ASSERT_LE(view.hue, 0.1);
    if (view.blur_sigma > 0) {
      ASSERT_GE(view.blur_sigma, 0.1);
      ASSERT_LE(view.blur_sigma, 2.0);
    }
  }
  EXPECT_NEAR(jitter, 0.8 * kDraws, 150);
  EXPECT_NEAR(gray, 0.2 * kDraws, 150);
  EXPECT_NEAR(blur, 0.5 * kDraws, 180);
  EXPECT_NEAR(flip, 0.5 * kDraws, 180);
  EXPECT_EQ(orders.size(), 24U);
}

TEST(ImageView, SwitchingTheBlurOffChangesNothingElse) {
  ImageOptions sharp;
  sharp.blur_sigma_max = 0;
  for (std::uint64_t i = 0; i < 50; ++i) {
    const ImageView with = drawn(i);
    const ImageView without = drawn(i, sharp);
    EXPECT_EQ(without.blur_sigma, 0);
    EXPECT_EQ(with.crop.x, without.crop.x);
    EXPECT_EQ(with.crop.width, without.crop.width);
    EXPECT_EQ(with.flip, without.flip);
    EXPECT_EQ(with.order, without.order);
    EXPECT_EQ(with.hue, without.hue);
  }
}

TEST(RenderedView, WithoutChangesIsTheResizedCrop) {
  const Image image = rough_picture(50, 70);
  ImageView view;
  view.crop = {3, 4, 60, 40};
  Bytes crop(3 * kPixels);
  resized_crop(image, view.crop, kSize, false, crop.data());
  EXPECT_EQ(rendered(image, view), crop);
}

// The recipe, step by step and with the flip at its end.
TEST(RenderedView, AppliesJitterInOrderThenGrayThenBlurThenFlip) {
  const Image image = rough_picture(50, 70);
  ImageView view;
  view.crop = {3, 4, 60, 40};
  view.jitter = true;
  view.order = {ColorChange::kHue,
                ColorChange::kBrightness,
                ColorChange::kSaturation,
                ColorChange::kContrast};
  view.brightness = 1.3;
  view.contrast = 0.7;
  view.saturation = 1.4;
  view.hue = 0.1;
  view.blur_sigma = 1.1;
  view.flip = true;
  for (const bool gray : {false, true}) {
    view.gray = gray;
    Bytes expected(3 * kPixels);
    resized_crop(image, view.crop, kSize, false, expected.data());
    adjust_hue(expected.data(), kPixels, view.hue);
    adjust_brightness(expected.data(), kPixels, view.brightness);
    adjust_saturation(expected.data(), kPixels, view.saturation);
    adjust_contrast(expected.data(), kPixels, view.contrast);
    if (gray) make_gray(expected.data(), kPixels);
    for (int c = 0; c < 3; ++c) gaussian_blur(&expected[c * kPixels], kSize, view.blur_sigma);
    for (int row = 0; row < 3 * kSize; ++row)
      std::reverse(expected.begin() + row * kSize, expected.begin() + (row + 1) * kSize);
    EXPECT_LE(largest_difference(rendered(image, view), expected), 1) << "gray " << gray;
  }
}

}  // namespace
}  // namespace stc::data
