#include "data/images/propagation_input.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "monitoring/check.h"

namespace stc::data {
namespace {

struct Normal {
  float mean[3], deviation[3];
};
constexpr Normal kLabNormal = {{50, 0, 0}, {50, 127, 127}};
constexpr Normal kImageNetNormal = {{0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};

// Centres of `to` equal parts of `from` pixels. Summed up as Pillow does, whose sums decide where a
// centre falls between two pixels; neither the closed form nor OpenCV's INTER_NEAREST_EXACT agrees
// with it everywhere (1280 to 560).
std::vector<int> nearest_pixels(int from, int to) {
  const double step = static_cast<double>(from) / to;
  std::vector<int> pixels;
  double centre = step / 2;
  for (int i = 0; i < to; ++i, centre += step)
    pixels.push_back(std::min(static_cast<int>(centre), from - 1));
  return pixels;
}

}  // namespace

PictureSize scaled_to_short_side(int height, int width, int short_side) {
  STC_CHECK(height > 0 && width > 0, "a frame of {}x{}; expected pixels", width, height);
  const double scale = static_cast<double>(short_side) / std::min(height, width);
  return {static_cast<int>(height * scale + 0.5), static_cast<int>(width * scale + 0.5)};
}

const char* word_for(InputColour colour) { return colour == InputColour::kLab ? "lab" : "rgb"; }

at::Tensor propagation_input(const Image& frame, PictureSize size, InputColour colour) {
  // OpenCV has no view of constant pixels; this one is only read.
  auto* bytes = const_cast<std::uint8_t*>(frame.pixels.data());
  cv::Mat pixels(frame.height, frame.width, CV_8UC3, bytes);
  if (frame.height != size.height || frame.width != size.width) {
    cv::Mat resized;
    cv::resize(pixels, resized, cv::Size(size.width, size.height), 0, 0, cv::INTER_LINEAR);
    pixels = resized;
  }
  cv::Mat scaled;
  pixels.convertTo(scaled, CV_32FC3, 1.0 / 255);
  if (colour == InputColour::kLab) cv::cvtColor(scaled, scaled, cv::COLOR_RGB2Lab);
  const auto& normal = colour == InputColour::kLab ? kLabNormal : kImageNetNormal;
  auto input = at::empty({3, size.height, size.width}, at::kFloat);
  float* planes = input.mutable_data_ptr<float>();
  const auto count = static_cast<std::int64_t>(size.height) * size.width;
  const auto* values = scaled.ptr<float>();
  for (int c = 0; c < 3; ++c)
    for (std::int64_t i = 0; i < count; ++i)
      planes[c * count + i] = (values[3 * i + c] - normal.mean[c]) * (1.0f / normal.deviation[c]);
  return input;
}

at::Tensor resize_planes(const at::Tensor& planes, PictureSize size) {
  STC_CHECK(planes.dim() == 3 && planes.size(0) <= CV_CN_MAX && planes.scalar_type() == at::kDouble,
            "planes are {}{}; expected Double[K, H, W] with K up to {}",
            planes.scalar_type(),
            planes.sizes(),
            CV_CN_MAX);
  const auto count = static_cast<int>(planes.size(0));
  auto interleaved = planes.permute({1, 2, 0}).contiguous();
  const cv::Mat source(static_cast<int>(planes.size(1)),
                       static_cast<int>(planes.size(2)),
                       CV_64FC(count),
                       interleaved.mutable_data_ptr());
  const auto resized = at::empty({size.height, size.width, count}, at::kDouble);
  cv::Mat target(size.height, size.width, CV_64FC(count), resized.mutable_data_ptr());
  cv::resize(source, target, target.size(), 0, 0, cv::INTER_LINEAR);
  return resized.permute({2, 0, 1}).contiguous();
}

LabelMap resize_labels(const LabelMap& map, PictureSize size) {
  const auto rows = nearest_pixels(map.height, size.height);
  const auto columns = nearest_pixels(map.width, size.width);
  LabelMap resized{size.height, size.width, {}};
  resized.labels.reserve(rows.size() * columns.size());
  for (const int row : rows) {
    for (const int column : columns) resized.labels.push_back(map.at(row, column));
  }
  return resized;
}

}  // namespace stc::data
