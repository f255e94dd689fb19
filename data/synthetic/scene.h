// A drawn scene: blob-shaped cut-outs of photographs that move over another photograph along known
// paths. The mask of every frame follows from the same geometry as its pixels, so it is right by
// construction.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "data/images/image.h"

namespace stc::data {

/// A smooth function of time t in [0, 1]: middle + slope (t - 1/2) + swing sin(2 pi (cycles t +
/// phase)).
struct Track {
  double middle = 0;
  double slope = 0;
  double swing = 0;
  double cycles = 1;
  double phase = 0;
  double at(double t) const;
};

/// A closed outline around the origin: radius (1 + sum_k cosine[k] cos((k + 2) phi) + sine[k]
/// sin((k + 2) phi)).
struct Blob {
  double radius = 1;
  std::array<double, 5> cosine{};
  std::array<double, 5> sine{};

  /// Pixels from (y, x) to the outline, to first order; positive inside.
  double depth(double y, double x) const;
  double largest_radius() const;
};

/// A photograph that is placed, turned, scaled and rippled over time, whole or cut out by a blob.
struct Layer {
  std::shared_ptr<const Image> photo;
  double anchor_y = 0, anchor_x = 0;  ///< pixel of the photograph that lies at the layer's origin
  std::optional<Blob> outline;        ///< none: fills the frame
  std::uint8_t label = 0;
  Track y, x;                ///< of the origin, in pixels of the frame
  Track scale{.middle = 1};  ///< frame pixels per photograph pixel
  Track angle;               ///< radians
  Track ripple;              ///< amplitude of a wave that bends the layer, photograph pixels
  double ripple_length = 1;  ///< of that wave, photograph pixels
  Track gain{.middle = 1};   ///< brightness
};

struct Scene {
  int height = 0;
  int width = 0;
  std::vector<Layer> layers;  ///< from the back to the front; the first fills the frame
};

/// The topmost layer at the centre of each pixel decides its label.
LabelMap draw_labels(const Scene& scene, double t);
/// Four samples per pixel; edges of cut-outs are antialiased.
Image draw_image(const Scene& scene, double t);

}  // namespace stc::data
