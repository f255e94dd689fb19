#include "data/synthetic/cast.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "data/random.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

using Photo = std::shared_ptr<const Image>;

constexpr int kTries = 200;  // of placing a scene until every object can be seen

/// How a cut-out looks from afar: its mean colour, and how much its grey values change from pixel
/// to pixel.
struct Look {
  std::array<double, 3> color{};
  double texture = 0;
};

int grey(const Image& image, int y, int x) {
  const auto* p = image.at(y, x);
  return p[0] + p[1] + p[2];
}

/// In the square of half side `reach` around (y, x); every third pixel is enough.
Look look_at(const Image& image, double y, double x, double reach) {
  Look look;
  int seen = 0;
  const auto last = [](double value, int size) {
    return std::min(static_cast<int>(value), size - 2);
  };
  for (int v = std::max(0, static_cast<int>(y - reach)); v <= last(y + reach, image.height);
       v += 3) {
    for (int u = std::max(0, static_cast<int>(x - reach)); u <= last(x + reach, image.width);
         u += 3) {
      const auto* p = image.at(v, u);
      for (int c = 0; c < 3; ++c) look.color[c] += p[c];
      look.texture += std::abs(grey(image, v, u) - grey(image, v, u + 1)) +
                      std::abs(grey(image, v, u) - grey(image, v + 1, u));
      ++seen;
    }
  }
  for (double& c : look.color) c /= std::max(seen, 1);
  look.texture /= std::max(seen, 1);
  return look;
}

double color_distance(const Look& a, const Look& b) {
  double sum = 0;
  for (int c = 0; c < 3; ++c) sum += (a.color[c] - b.color[c]) * (a.color[c] - b.color[c]);
  return std::sqrt(sum);
}

class Director {
 public:
  Director(const std::vector<Photo>& photos, int height, int width, CounterRandom random)
      : photos_(photos), height_(height), width_(width), random_(random) {}

  Scene scene(int objects) {
    Scene scene{height_, width_, {}};
    scene.layers.push_back(background());
    background_look_ =
        look_at(*photos_[0], scene.layers[0].anchor_y, scene.layers[0].anchor_x, height_ / 2.0);
    for (int i = 0; i < 3; ++i) scene.layers.push_back(bystander(photos_[1 + i % 3]));
    scene.layers.push_back(crossing(photos_[3], radius(0.10, 0.15)));
    add_objects(scene, objects);
    scene.layers.push_back(crossing(photos_[3], radius(0.07, 0.10)));
    return scene;
  }

 private:
  double uniform(double low, double high) { return random_.uniform(low, high); }
  double sign() { return random_.chance(0.5) ? 1 : -1; }
  double radius(double low, double high) { return uniform(low, high) * height_; }
  Track swinging(double middle, double slope, double swing) {
    return {middle, slope, swing, uniform(0.4, 0.9), uniform(0, 1)};
  }

  /// Slow pan, zoom and turn; the photograph covers the frame throughout.
  Layer background() {
    const Image& photo = *photos_[0];
    Layer layer;
    layer.photo = photos_[0];
    const double spare_y = photo.height / 2.0 - 0.62 * height_;
    const double spare_x = photo.width / 2.0 - 0.62 * width_;
    double best = -1;
    for (int i = 0; i < 4; ++i) {
      const double y = photo.height / 2.0 + std::max(spare_y, 0.0) * uniform(-1, 1);
      const double x = photo.width / 2.0 + std::max(spare_x, 0.0) * uniform(-1, 1);
      const double texture = look_at(photo, y, x, height_ / 2.0).texture;
      if (texture <= best) continue;
      best = texture;
      layer.anchor_y = y;
      layer.anchor_x = x;
    }
    layer.y = swinging(height_ / 2.0, sign() * uniform(0, 0.04) * height_, 0.01 * height_);
    layer.x = swinging(width_ / 2.0, sign() * uniform(0.02, 0.10) * width_, 0.01 * width_);
    layer.scale = {.middle = 1.05, .slope = uniform(-0.06, 0.06)};
    layer.angle = swinging(0, 0, uniform(0, 0.02));
    layer.gain = swinging(1, 0, uniform(0.02, 0.07));
    return layer;
  }

  /// Takes, among several places, the one with much texture and colours close to the background's:
  /// neither a flat patch nor one that its colour alone gives away.
  Layer cutout(const Photo& photo, double radius) {
    Layer layer;
    layer.photo = photo;
    Blob blob{radius, {}, {}};
    for (std::size_t i = 0; i < blob.cosine.size(); ++i) {
      const double strength = 0.22 / static_cast<double>(i + 1);
      const double phase = uniform(0, 2 * std::numbers::pi);
      const double amplitude = uniform(0.2, 1) * strength;
      blob.cosine[i] = amplitude * std::cos(phase);
      blob.sine[i] = amplitude * std::sin(phase);
    }
    layer.outline = blob;
    const double reach = std::min(1.3 * radius, 0.49 * std::min(photo->height, photo->width));
    double best = -1;
    for (int i = 0; i < 16; ++i) {
      const double y = uniform(reach, photo->height - reach);
      const double x = uniform(reach, photo->width - reach);
      const Look look = look_at(*photo, y, x, radius);
      const double value =
          std::min(look.texture, 60.0) / (40 + color_distance(look, background_look_));
      if (value <= best) continue;
      best = value;
      layer.anchor_y = y;
      layer.anchor_x = x;
    }
    layer.ripple = swinging(0, 0, uniform(0.03, 0.06) * radius);
    layer.ripple_length = uniform(1.6, 2.4) * radius;
    layer.gain = swinging(1, 0, uniform(0.02, 0.08));
    return layer;
  }

  /// Unlabelled, somewhere, hardly moving.
  Layer bystander(const Photo& photo) {
    Layer layer = cutout(photo, radius(0.10, 0.18));
    layer.y = swinging(uniform(0.1, 0.9) * height_, 0, uniform(0.01, 0.04) * height_);
    layer.x = swinging(uniform(0.05, 0.95) * width_, 0, uniform(0.01, 0.04) * width_);
    layer.angle = swinging(uniform(-3, 3), 0, uniform(0, 0.15));
    return layer;
  }

  /// Moves through the middle of the frame, turning and changing its size.
  Layer crossing(const Photo& photo, double radius) {
    Layer layer = cutout(photo, radius);
    layer.y = swinging(uniform(0.38, 0.62) * height_,
                       sign() * uniform(0.05, 0.35) * height_,
                       uniform(0.02, 0.06) * height_);
    layer.x = swinging(uniform(0.38, 0.62) * width_,
                       sign() * uniform(0.25, 0.5) * width_,
                       uniform(0.01, 0.04) * width_);
    layer.scale = {.middle = 1, .slope = sign() * uniform(0.15, 0.5)};
    layer.angle = swinging(uniform(-3, 3), sign() * uniform(0.1, 0.7), uniform(0, 0.15));
    return layer;
  }

  void add_objects(Scene& scene, int objects) {
    for (int object = 1; object <= objects; ++object) {
      Layer layer = crossing(photos_[object], radius(0.15, 0.22));
      layer.label = static_cast<std::uint8_t>(object);
      if (object > 1) {
        // Moves against the first one, so that they meet and one hides part of the other.
        const Layer& first = scene.layers.back();
        layer.x.slope = std::copysign(layer.x.slope, -first.x.slope);
        layer.y.middle = first.y.middle + sign() * uniform(0.5, 1.0) * layer.outline->radius;
      }
      scene.layers.push_back(std::move(layer));
    }
  }

  const std::vector<Photo>& photos_;
  int height_;
  int width_;
  CounterRandom random_;
  Look background_look_;
};

/// The share of a disk of the object's size that shows in the frame.
double visible_share(const LabelMap& map, const Layer& layer, double t) {
  const auto pixels = std::count(map.labels.begin(), map.labels.end(), layer.label);
  const double size = layer.outline->radius * layer.scale.at(t);
  return static_cast<double>(pixels) / (std::numbers::pi * size * size);
}

bool shows_every_object(const Scene& scene, int frames) {
  for (int frame = 0; frame < frames; ++frame) {
    const double t = frame / (frames - 1.0);
    const LabelMap map = draw_labels(scene, t);
    for (const Layer& layer : scene.layers) {
      const double least = frame == 0 ? 0.8 : 0.3;
      if (layer.label != 0 && visible_share(map, layer, t) < least) return false;
    }
  }
  return true;
}

}  // namespace

Scene cast_scene(const std::vector<Photo>& photos,
                 const SyntheticClipOptions& options,
                 int objects,
                 int clip) {
  const auto number = static_cast<std::uint64_t>(clip);
  for (std::uint64_t attempt = 0; attempt < kTries; ++attempt) {
    const CounterRandom random(options.seed, Purpose::kSyntheticClip, attempt, number);
    Scene scene = Director(photos, options.height, options.width, random).scene(objects);
    if (shows_every_object(scene, options.frames)) return scene;
  }
  throw Error(Exit::kFailed,
              text("clip {}: no arrangement shows every object at {}x{} after {} attempts; choose "
                   "another --seed or a size closer to 240x428",
                   clip,
                   options.height,
                   options.width,
                   kTries));
}

}  // namespace stc::data
