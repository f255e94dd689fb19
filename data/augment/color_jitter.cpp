#include "data/augment/color_jitter.h"

#include <algorithm>

#include "data/augment/vector_clones.h"

namespace stc::data {
namespace {

// The loops are plain and without branches, so that the compiler turns them into vector
// instructions.

std::uint8_t truncated(float value) {
  return static_cast<std::uint8_t>(static_cast<int>(std::min(std::max(value, 0.0F), 255.0F)));
}

int luma(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  return static_cast<int>(0.2989F * red + 0.587F * green + 0.114F * blue);
}

/// value * factor + offset
STC_VECTOR_CLONES void scale_and_shift(std::uint8_t* values,
                                       std::int64_t count,
                                       float factor,
                                       float offset) {
  for (std::int64_t i = 0; i < count; ++i) values[i] = truncated(factor * values[i] + offset);
}

STC_VECTOR_CLONES std::int64_t sum_of_luma(const std::uint8_t* rgb, std::int64_t pixels) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < pixels; ++i)
    sum += luma(rgb[i], rgb[pixels + i], rgb[2 * pixels + i]);
  return sum;
}

}  // namespace

void adjust_brightness(std::uint8_t* rgb, std::int64_t pixels, double factor) {
  scale_and_shift(rgb, 3 * pixels, static_cast<float>(factor), 0.0F);
}

void adjust_contrast(std::uint8_t* rgb, std::int64_t pixels, double factor) {
  const double mean = static_cast<double>(sum_of_luma(rgb, pixels)) / static_cast<double>(pixels);
  scale_and_shift(
      rgb, 3 * pixels, static_cast<float>(factor), static_cast<float>((1.0 - factor) * mean));
}

STC_VECTOR_CLONES void adjust_saturation(std::uint8_t* rgb, std::int64_t pixels, double factor) {
  std::uint8_t* red = rgb;
  std::uint8_t* green = rgb + pixels;
  std::uint8_t* blue = rgb + 2 * pixels;
  const auto own = static_cast<float>(factor);
  const float other = 1.0F - own;
  for (std::int64_t i = 0; i < pixels; ++i) {
    const float gray = other * static_cast<float>(luma(red[i], green[i], blue[i]));
    red[i] = truncated(own * red[i] + gray);
    green[i] = truncated(own * green[i] + gray);
    blue[i] = truncated(own * blue[i] + gray);
  }
}

namespace {

/// The channel that lies `sector` sixths of the circle from the hue: HSV to RGB without branches.
/// hue is in sixths of the circle, 0 < hue + sector.
float channel_of(float hue, float sector, float value, float chroma) {
  const float turned = hue + sector;
  const float place = turned - 6.0F * static_cast<float>(static_cast<int>(turned * (1.0F / 6.0F)));
  const float weight = std::min(std::max(std::min(place, 4.0F - place), 0.0F), 1.0F);
  return value - chroma * weight;
}

}  // namespace

STC_VECTOR_CLONES void adjust_hue(std::uint8_t* rgb, std::int64_t pixels, double turn) {
  constexpr float kToByte = 255.999F / 255.0F;  // then truncated: torchvision's float to uint8
  std::uint8_t* reds = rgb;
  std::uint8_t* greens = rgb + pixels;
  std::uint8_t* blues = rgb + 2 * pixels;
  const auto shift = static_cast<float>(6.0 + 6.0 * turn);  // one whole turn more: never negative
  for (std::int64_t i = 0; i < pixels; ++i) {
    const float red = reds[i];
    const float green = greens[i];
    const float blue = blues[i];
    const float value = std::max(red, std::max(green, blue));
    const float chroma = value - std::min(red, std::min(green, blue));
    const float scale = 1.0F / (chroma > 0.0F ? chroma : 1.0F);
    const float from_red = (green - blue) * scale;
    const float from_green = 2.0F + (blue - red) * scale;
    const float from_blue = 4.0F + (red - green) * scale;
    const float hue = shift + (value == red ? from_red : (value == green ? from_green : from_blue));
    reds[i] = truncated(kToByte * channel_of(hue, 5.0F, value, chroma));
    greens[i] = truncated(kToByte * channel_of(hue, 3.0F, value, chroma));
    blues[i] = truncated(kToByte * channel_of(hue, 1.0F, value, chroma));
  }
}

STC_VECTOR_CLONES void make_gray(std::uint8_t* rgb, std::int64_t pixels) {
  for (std::int64_t i = 0; i < pixels; ++i) {
    const auto gray = static_cast<std::uint8_t>(luma(rgb[i], rgb[pixels + i], rgb[2 * pixels + i]));
    rgb[i] = rgb[pixels + i] = rgb[2 * pixels + i] = gray;
  }
}

}  // namespace stc::data
