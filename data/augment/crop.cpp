#include "data/augment/crop.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace stc::data {
namespace {

int rounded(double value) { return static_cast<int>(std::nearbyint(value)); }

/// The first of `tries` random boxes that lies within the frame. Half-way cases round to even, as
/// in Python.
std::optional<CropBox> draw_box(
    CounterRandom& random, int height, int width, const CropRange& range, int tries) {
  const double pixels = static_cast<double>(height) * width;
  for (int attempt = 0; attempt < tries; ++attempt) {
    const double area = pixels * random.uniform(range.min_area, 1.0);
    const double aspect =
        std::exp(random.uniform(std::log(range.min_aspect), std::log(range.max_aspect)));
    const int w = rounded(std::sqrt(area * aspect));
    const int h = rounded(std::sqrt(area / aspect));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const auto x = static_cast<int>(random.integer(0, width - w));
    const auto y = static_cast<int>(random.integer(0, height - h));
    return CropBox{x, y, w, h};
  }
  return std::nullopt;
}

CropBox centred(int height, int width, int box_height, int box_width) {
  return {(width - box_width) / 2, (height - box_height) / 2, box_width, box_height};
}

}  // namespace

CropBox draw_image_crop(CounterRandom& random, int height, int width, double min_area) {
  constexpr double kMinAspect = 3.0 / 4.0;
  constexpr double kMaxAspect = 4.0 / 3.0;
  constexpr int kTries = 10;
  if (const auto box = draw_box(random, height, width, {min_area, kMinAspect, kMaxAspect}, kTries))
    return *box;
  const double aspect = static_cast<double>(width) / height;
  if (aspect < kMinAspect)
    return centred(height, width, std::clamp(rounded(width / kMinAspect), 1, height), width);
  if (aspect > kMaxAspect)
    return centred(height, width, height, std::clamp(rounded(height * kMaxAspect), 1, width));
  return {0, 0, width, height};
}

CropBox draw_clip_crop(CounterRandom& random, int height, int width, const CropRange& range) {
  constexpr int kTries = 20;
  if (const auto box = draw_box(random, height, width, range, kTries)) return *box;
  const int side = std::min(height, width);
  return centred(height, width, side, side);
}

}  // namespace stc::data
