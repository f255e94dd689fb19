#include "eval/drawing/pose_overlay.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string_view>

#include "data/benchmarks/jhmdb.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

using Color = std::array<std::uint8_t, 3>;

struct Point {
  double x, y;
};

Color color_of(int joint) {
  const std::string_view name = data::kJointNames[joint];
  if (name.starts_with("right")) return {255, 150, 30};
  if (name.starts_with("left")) return {60, 150, 255};
  return {80, 230, 80};
}

double distance_to_segment(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y;
  const double length = dx * dx + dy * dy;
  const double along =
      length > 0 ? std::clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length, 0.0, 1.0) : 0;
  return std::hypot(p.x - a.x - along * dx, p.y - a.y - along * dy);
}

// A line with round ends; its edge fades over one pixel. A disc if a equals b.
void draw(Point a, Point b, double radius, const Color& color, data::Image* image) {
  const auto bound = [](double value, int size) {
    return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(size)));
  };
  const double reach = radius + 1;
  const int top = bound(std::min(a.y, b.y) - reach, image->height);
  const int bottom = bound(std::max(a.y, b.y) + reach + 1, image->height);
  const int left = bound(std::min(a.x, b.x) - reach, image->width);
  const int right = bound(std::max(a.x, b.x) + reach + 1, image->width);
  for (int y = top; y < bottom; ++y) {
    for (int x = left; x < right; ++x) {
      const double distance = distance_to_segment({1.0 * x, 1.0 * y}, a, b);
      const double share = std::clamp(radius + 0.5 - distance, 0.0, 1.0);
      auto* pixel = image->pixels.data() + (static_cast<std::size_t>(y) * image->width + x) * 3;
      for (int c = 0; c < 3; ++c)
        pixel[c] =
            static_cast<std::uint8_t>(std::lround((1 - share) * pixel[c] + share * color[c]));
    }
  }
}

}  // namespace

data::Image pose_overlay(const data::Image& image, const at::Tensor& points) {
  STC_CHECK(points.dim() == 2 && points.size(0) == data::kJointCount && points.size(1) == 2,
            "key points are {}; expected [{}, 2]",
            points.sizes(),
            data::kJointCount);
  const auto positions = points.accessor<double, 2>();
  const auto is_found = [&](int joint) { return positions[joint][0] >= 0; };
  const auto place = [&](int joint) { return Point{positions[joint][0], positions[joint][1]}; };
  const double radius = std::max(1.0, image.height / 200.0);
  data::Image out = image;
  for (int joint = 0; joint < data::kJointCount; ++joint) {
    const int parent = data::kJointParents[joint];
    if (is_found(joint) && is_found(parent))
      draw(place(joint), place(parent), radius, color_of(joint), &out);
  }
  for (int joint = 0; joint < data::kJointCount; ++joint)
    if (is_found(joint)) draw(place(joint), place(joint), 2.2 * radius, color_of(joint), &out);
  return out;
}

}  // namespace stc::eval
