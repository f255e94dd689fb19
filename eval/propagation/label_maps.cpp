#include "eval/propagation/label_maps.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "monitoring/check.h"

namespace stc::eval {
namespace {

// (v - min) / (max - min), if the channel is above 0 somewhere.
at::Tensor stretched(const at::Tensor& channels) {
  const auto low = channels.amin({1, 2}, true), high = channels.amax({1, 2}, true);
  return at::where(high > 0, (channels - low) / (high - low + 1e-12), channels);
}

constexpr double kSigma = 4;
constexpr double kReach = 3 * kSigma;
constexpr std::size_t kHighest = 5;

// The window around a point along one axis, in pixels; doubles, since a point may be anywhere.
struct AxisWindow {
  double from, to;  // `to` is exclusive
  explicit AxisWindow(double centre)
      : from(std::trunc(centre - kReach)), to(std::trunc(centre + kReach + 1)) {}
  bool misses(int size) const { return from >= size || to < 0; }
  int first() const { return static_cast<int>(std::max(from, 0.0)); }
  int last(int size) const { return static_cast<int>(std::min<double>(to, size)); }
};

void draw(double x, double y, data::PictureSize frame, double* map) {
  const AxisWindow columns(x), rows(y);
  if (columns.misses(frame.width) || rows.misses(frame.height)) return;
  for (int row = rows.first(); row < rows.last(frame.height); ++row) {
    for (int column = columns.first(); column < columns.last(frame.width); ++column) {
      const double u = column - columns.from - kReach, v = row - rows.from - kReach;
      map[static_cast<std::ptrdiff_t>(row) * frame.width + column] =
          std::exp(-(u * u + v * v) / (2 * kSigma * kSigma));
    }
  }
}

struct Peak {
  double value;
  std::int64_t pixel;
};

// The highest pixels, highest first; fewer if the map is smaller.
std::vector<Peak> highest_pixels(const double* map, std::int64_t pixels) {
  std::vector<Peak> highest;
  for (std::int64_t pixel = 0; pixel < pixels; ++pixel) {
    const double value = map[pixel];
    if (highest.size() == kHighest && !(value > highest.back().value)) continue;
    if (highest.size() == kHighest) highest.pop_back();
    const auto place = std::find_if(
        highest.begin(), highest.end(), [&](const Peak& peak) { return value > peak.value; });
    highest.insert(place, {value, pixel});
  }
  return highest;
}

}  // namespace

at::Tensor one_hot(const data::LabelMap& map, std::int64_t channels) {
  const auto highest = *std::max_element(map.labels.begin(), map.labels.end());
  STC_CHECK(highest < channels,
            "a label map holds index {}; expected one below {}",
            static_cast<int>(highest),
            channels);
  auto labels = at::zeros({channels, map.height, map.width}, at::kFloat);
  float* values = labels.mutable_data_ptr<float>();
  const auto cells = static_cast<std::int64_t>(map.labels.size());
  for (std::int64_t i = 0; i < cells; ++i) values[map.labels[i] * cells + i] = 1;
  return labels;
}

LabelMask to_mask(const at::Tensor& soft, std::int64_t height, std::int64_t width, bool stretch) {
  STC_CHECK(soft.dim() == 3 && soft.size(0) >= 1 && soft.size(0) <= 256,
            "soft labels are {}; expected [K, h, w] with 1 to 256 channels",
            soft.sizes());
  const auto large = at::upsample_bilinear2d(soft.unsqueeze(0), {height, width}, false)[0];
  const auto channels = stretch ? stretched(large) : large;
  auto winner = channels[0].clone();
  auto runner_up = at::zeros_like(winner);
  auto labels = at::zeros({height, width}, winner.options().dtype(at::kByte));
  for (std::int64_t k = 1; k < channels.size(0); ++k) {
    const auto wins = channels[k] > winner;
    runner_up = k == 1 ? at::minimum(winner, channels[1])
                       : at::maximum(runner_up, at::minimum(winner, channels[k]));
    winner = at::where(wins, channels[k], winner);
    labels.masked_fill_(wins, k);
  }
  return {labels, winner - runner_up};
}

data::LabelMap to_label_map(const at::Tensor& labels) {
  const auto source = labels.to(at::kCPU).contiguous();
  const auto* values = source.const_data_ptr<std::uint8_t>();
  return {static_cast<int>(source.size(0)),
          static_cast<int>(source.size(1)),
          {values, values + source.numel()}};
}

at::Tensor draw_heat_maps(const at::Tensor& points, data::PictureSize frame) {
  STC_CHECK(points.dim() == 2 && points.size(1) == 2,
            "key points are {}; expected [J, 2]",
            points.sizes());
  const auto positions = points.to(at::kDouble).contiguous();
  auto maps = at::zeros({points.size(0), frame.height, frame.width}, at::kDouble);
  const auto* xy = positions.const_data_ptr<double>();
  for (std::int64_t joint = 0; joint < points.size(0); ++joint)
    draw(xy[2 * joint], xy[2 * joint + 1], frame, maps[joint].mutable_data_ptr<double>());
  return maps;
}

at::Tensor locate_key_points(const at::Tensor& maps) {
  STC_CHECK(maps.dim() == 3, "heat maps are {}; expected [J, H, W]", maps.sizes());
  const auto width = maps.size(2), pixels = maps.size(1) * width;
  auto points = at::full({maps.size(0), 2}, -1, at::kDouble);
  auto* xy = points.mutable_data_ptr<double>();
  for (std::int64_t joint = 0; joint < maps.size(0); ++joint) {
    const auto map = maps[joint].to(at::kCPU, at::kDouble).contiguous();
    if (!map.any().item<bool>()) continue;
    const auto peaks = highest_pixels(map.const_data_ptr<double>(), pixels);
    double sum = 0, x = 0, y = 0;
    for (const auto& peak : peaks) sum += peak.value;
    for (const auto& peak : peaks) {
      const auto row = peak.pixel / width, column = peak.pixel % width;
      x += peak.value / sum * static_cast<double>(column);
      y += peak.value / sum * static_cast<double>(row);
    }
    xy[2 * joint] = x;
    xy[2 * joint + 1] = y;
  }
  return points;
}

}  // namespace stc::eval
