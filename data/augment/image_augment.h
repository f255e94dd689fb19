// Step 1: one random view of a photograph (MoCo v2's augmentation).
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "data/augment/crop.h"
#include "data/images/image.h"
#include "data/random.h"

namespace stc::data {

enum class ColorChange : std::uint8_t { kBrightness, kContrast, kSaturation, kHue };

struct ImageOptions {
  int size = 224;               ///< side of the square crop in pixels
  double min_area = 0.2;        ///< smallest crop, as a fraction of the image's area
  double blur_sigma_max = 2.0;  ///< pixels at `size`; 0.1 is the smallest; 0 switches the blur off

  void check() const;  ///< throws stc::Error (kUsage) naming the option and the rule
};

/// Everything random about a view.
struct ImageView {
  CropBox crop;
  bool jitter = false;  ///< p = 0.8: the four changes below, in `order`
  std::array<ColorChange, 4> order{};
  double brightness = 1;  ///< U(0.6, 1.4)
  double contrast = 1;    ///< U(0.6, 1.4)
  double saturation = 1;  ///< U(0.6, 1.4)
  double hue = 0;         ///< turn of the colour circle, U(-0.1, 0.1)
  bool gray = false;      ///< p = 0.2
  double blur_sigma = 0;  ///< p = 0.5: U(0.1, blur_sigma_max) pixels; 0: no blur
  bool flip = false;      ///< p = 0.5
};

ImageView draw_image_view(CounterRandom& random,
                          int height,
                          int width,
                          const ImageOptions& options);

/// Fills `planes`, 3 * size * size bytes: red, green, blue.
void render_image_view(const Image& image,
                       const ImageView& view,
                       int size,
                       std::span<std::uint8_t> planes);

}  // namespace stc::data
