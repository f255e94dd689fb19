#include "data/augment/image_augment.h"

#include <utility>

#include "data/augment/color_jitter.h"
#include "data/augment/pixel_filters.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

constexpr double kMinSigma = 0.1;

std::array<ColorChange, 4> draw_order(CounterRandom& random) {
  std::array<ColorChange, 4> order{ColorChange::kBrightness,
                                   ColorChange::kContrast,
                                   ColorChange::kSaturation,
                                   ColorChange::kHue};
  for (int last = 3; last > 0; --last) std::swap(order[last], order[random.integer(0, last)]);
  return order;
}

void change_color(ColorChange change,
                  const ImageView& view,
                  std::int64_t pixels,
                  std::uint8_t* rgb) {
  switch (change) {
    case ColorChange::kBrightness:
      return adjust_brightness(rgb, pixels, view.brightness);
    case ColorChange::kContrast:
      return adjust_contrast(rgb, pixels, view.contrast);
    case ColorChange::kSaturation:
      return adjust_saturation(rgb, pixels, view.saturation);
    case ColorChange::kHue:
      return adjust_hue(rgb, pixels, view.hue);
  }
}

}  // namespace

void ImageOptions::check() const {
  STC_CHECK_USAGE(size >= 1 && size <= 4096, "image size is {}; expected 1 to 4096 pixels", size);
  STC_CHECK_USAGE(min_area > 0 && min_area <= 1,
                  "smallest crop area is {}; expected a fraction above 0 and at most 1",
                  min_area);
  STC_CHECK_USAGE(blur_sigma_max == 0 || (blur_sigma_max >= kMinSigma && blur_sigma_max <= 10),
                  "largest blur sigma is {}; expected 0.1 to 10 pixels, or 0 for no blur",
                  blur_sigma_max);
}

ImageView draw_image_view(CounterRandom& random,
                          int height,
                          int width,
                          const ImageOptions& options) {
  // Every number is drawn whether it is used or not; only the crop takes a varying count, so it
  // comes last.
  ImageView view;
  view.jitter = random.chance(0.8);
  view.order = draw_order(random);
  view.brightness = random.uniform(0.6, 1.4);
  view.contrast = random.uniform(0.6, 1.4);
  view.saturation = random.uniform(0.6, 1.4);
  view.hue = random.uniform(-0.1, 0.1);
  view.gray = random.chance(0.2);
  const bool blur = random.chance(0.5);
  const double sigma = random.uniform(kMinSigma, options.blur_sigma_max);
  if (blur && options.blur_sigma_max > 0) view.blur_sigma = sigma;
  view.flip = random.chance(0.5);
  view.crop = draw_image_crop(random, height, width, options.min_area);
  return view;
}

void render_image_view(const Image& image,
                       const ImageView& view,
                       int size,
                       std::span<std::uint8_t> planes) {
  const std::int64_t pixels = std::int64_t{size} * size;
  STC_CHECK(static_cast<std::int64_t>(planes.size()) == 3 * pixels,
            "a view of side {} does not fit into {} bytes",
            size,
            planes.size());
  std::uint8_t* out = planes.data();
  // The flip commutes with all that follows, so the resize does it on the way.
  resized_crop(image, view.crop, size, view.flip, out);
  if (view.jitter)
    for (const ColorChange change : view.order) change_color(change, view, pixels, out);
  if (view.gray) make_gray(out, pixels);
  if (view.blur_sigma > 0)
    for (int channel = 0; channel < 3; ++channel)
      gaussian_blur(out + channel * pixels, size, view.blur_sigma);
}

}  // namespace stc::data
