#include "data/synthetic/scene.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace stc::data {
namespace {

constexpr int kSamples = 2;  // per pixel and axis
constexpr double kTwoPi = 2 * std::numbers::pi;

struct Point {
  double y, x;
};

/// A layer at one moment.
class Placed {
 public:
  Placed(const Layer& layer, double t)
      : layer_(layer),
        y_(layer.y.at(t)),
        x_(layer.x.at(t)),
        scale_(layer.scale.at(t)),
        cosine_(std::cos(layer.angle.at(t))),
        sine_(std::sin(layer.angle.at(t))),
        ripple_(layer.ripple.at(t)),
        gain_(static_cast<float>(layer.gain.at(t))) {}

  /// From the frame to the layer's own coordinates.
  Point inside(double y, double x) const {
    const double dy = (y - y_) / scale_;
    const double dx = (x - x_) / scale_;
    const double v = cosine_ * dy - sine_ * dx;
    const double u = sine_ * dy + cosine_ * dx;
    const double wave = kTwoPi / layer_.ripple_length;
    return {v + ripple_ * std::sin(wave * u), u + ripple_ * std::sin(wave * v + 1)};
  }

  /// Frame pixels to the outline; positive inside.
  double depth(const Point& point) const {
    return layer_.outline ? layer_.outline->depth(point.y, point.x) * scale_ : 1e9;
  }

  /// Bilinear; beyond its border the photograph's last pixels are repeated.
  std::array<float, 3> color(const Point& point) const {
    const Image& photo = *layer_.photo;
    const double y = std::clamp(point.y + layer_.anchor_y, 0.0, photo.height - 1.0);
    const double x = std::clamp(point.x + layer_.anchor_x, 0.0, photo.width - 1.0);
    const int top = std::min(static_cast<int>(y), std::max(photo.height - 2, 0));
    const int left = std::min(static_cast<int>(x), std::max(photo.width - 2, 0));
    const auto fy = static_cast<float>(y - top);
    const auto fx = static_cast<float>(x - left);
    const int below = top + 1 < photo.height ? photo.width * 3 : 0;
    const int right = left + 1 < photo.width ? 3 : 0;
    const auto* p = photo.at(top, left);
    std::array<float, 3> color;
    for (int c = 0; c < 3; ++c) {
      const float upper = (1 - fx) * p[c] + fx * p[c + right];
      const float lower = (1 - fx) * p[c + below] + fx * p[c + below + right];
      color[c] = gain_ * ((1 - fy) * upper + fy * lower);
    }
    return color;
  }

  /// Half the side of a square around the origin that holds the layer, in frame pixels.
  double reach() const {
    return (layer_.outline->largest_radius() + 2 * std::abs(ripple_)) * scale_ + 2;
  }
  double y() const { return y_; }
  double x() const { return x_; }
  bool fills_frame() const { return !layer_.outline; }
  std::uint8_t label() const { return layer_.label; }

 private:
  const Layer& layer_;
  double y_, x_, scale_, cosine_, sine_, ripple_;
  float gain_;
};

/// Calls visit(row, column, y, x) for each sample that the layer can touch; samples lie on a grid
/// of `samples` per pixel and axis, and (y, x) is the sample's place in pixels.
template <typename Visit>
void for_each_sample(const Scene& scene, const Placed& placed, int samples, const Visit& visit) {
  int top = 0, left = 0, bottom = scene.height * samples, right = scene.width * samples;
  if (!placed.fills_frame()) {
    top = std::max(top, static_cast<int>((placed.y() - placed.reach()) * samples));
    left = std::max(left, static_cast<int>((placed.x() - placed.reach()) * samples));
    bottom = std::min(bottom, static_cast<int>((placed.y() + placed.reach()) * samples) + 1);
    right = std::min(right, static_cast<int>((placed.x() + placed.reach()) * samples) + 1);
  }
  for (int row = top; row < bottom; ++row) {
    for (int column = left; column < right; ++column) {
      visit(row, column, (row + 0.5) / samples - 0.5, (column + 0.5) / samples - 0.5);
    }
  }
}

}  // namespace

double Track::at(double t) const {
  return middle + slope * (t - 0.5) + swing * std::sin(kTwoPi * (cycles * t + phase));
}

double Blob::depth(double y, double x) const {
  const double distance = std::hypot(y, x);
  if (distance < 1e-9) return radius;
  // cos and sin of k phi by turning once more for each k.
  const double c = x / distance;
  const double s = y / distance;
  double ck = c;
  double sk = s;
  double outline = 1;
  double slope = 0;
  for (std::size_t i = 0; i < cosine.size(); ++i) {
    const double turned = ck * c - sk * s;
    sk = sk * c + ck * s;
    ck = turned;
    outline += cosine[i] * ck + sine[i] * sk;
    slope += static_cast<double>(i + 2) * (sine[i] * ck - cosine[i] * sk);
  }
  // The radial distance, shorter the more obliquely the outline runs.
  return (radius * outline - distance) / std::hypot(1.0, slope / outline);
}

double Blob::largest_radius() const {
  double sum = 1;
  for (std::size_t i = 0; i < cosine.size(); ++i) sum += std::hypot(cosine[i], sine[i]);
  return radius * sum;
}

LabelMap draw_labels(const Scene& scene, double t) {
  LabelMap map{scene.height,
               scene.width,
               std::vector<std::uint8_t>(static_cast<std::size_t>(scene.height) * scene.width)};
  for (const Layer& layer : scene.layers) {
    const Placed placed(layer, t);
    if (placed.fills_frame()) continue;
    for_each_sample(scene, placed, 1, [&](int row, int column, double y, double x) {
      if (placed.depth(placed.inside(y, x)) <= 0) return;
      map.labels[static_cast<std::size_t>(row) * scene.width + column] = placed.label();
    });
  }
  return map;
}

Image draw_image(const Scene& scene, double t) {
  const int columns = scene.width * kSamples;
  std::vector<std::array<float, 3>> samples(static_cast<std::size_t>(scene.height) * kSamples *
                                            columns);
  for (const Layer& layer : scene.layers) {
    const Placed placed(layer, t);
    for_each_sample(scene, placed, kSamples, [&](int row, int column, double y, double x) {
      const Point point = placed.inside(y, x);
      const auto cover = static_cast<float>(std::clamp(placed.depth(point) + 0.5, 0.0, 1.0));
      if (cover == 0) return;
      const auto color = placed.color(point);
      auto& sample = samples[static_cast<std::size_t>(row) * columns + column];
      for (int c = 0; c < 3; ++c) sample[c] += cover * (color[c] - sample[c]);
    });
  }
  Image image = blank_image(scene.height, scene.width);
  for (int y = 0; y < scene.height; ++y) {
    for (int x = 0; x < scene.width; ++x) {
      for (int c = 0; c < 3; ++c) {
        float sum = 0;
        for (int i = 0; i < kSamples; ++i) {
          for (int j = 0; j < kSamples; ++j) {
            const auto row = static_cast<std::size_t>(y) * kSamples + i;
            sum += samples[row * columns + static_cast<std::size_t>(x) * kSamples + j][c];
          }
        }
        const float value = std::clamp(sum / (kSamples * kSamples), 0.0F, 255.0F);
        image.pixels[(static_cast<std::size_t>(y) * scene.width + x) * 3 + c] =
            static_cast<std::uint8_t>(std::lround(value));
      }
    }
  }
  return image;
}

}  // namespace stc::data
