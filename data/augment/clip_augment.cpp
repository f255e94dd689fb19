#include "data/augment/clip_augment.h"

#include <algorithm>
#include <array>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "monitoring/check.h"

namespace stc::data {
namespace {

/// Interleaved pixels to three planes, each value through (value - offset) * scale of its channel.
void store_lab(const cv::Mat& lab, std::span<float> out) {
  constexpr std::array<float, 3> kOffset{50.0F, 0.0F, 0.0F};
  constexpr std::array<float, 3> kDivisor{50.0F, 127.0F, 127.0F};
  const std::size_t pixels = lab.total();
  const auto* source = lab.ptr<float>();
  for (int channel = 0; channel < 3; ++channel)
    for (std::size_t i = 0; i < pixels; ++i)
      out[channel * pixels + i] = (source[3 * i + channel] - kOffset[channel]) / kDivisor[channel];
}

void store_rgb(const cv::Mat& rgb, std::span<std::uint8_t> out) {
  const std::size_t pixels = rgb.total();
  const auto* source = rgb.ptr<std::uint8_t>();
  for (int channel = 0; channel < 3; ++channel)
    for (std::size_t i = 0; i < pixels; ++i) out[channel * pixels + i] = source[3 * i + channel];
}

}  // namespace

void ClipOptions::check() const {
  STC_CHECK_USAGE(size >= 32 && size % 32 == 0 && size <= 4096,
                  "clip size is {}; expected a multiple of 32 up to 4096 pixels",
                  size);
  STC_CHECK_USAGE(frame_gap >= 1, "frame gap is {}; expected at least 1", frame_gap);
  STC_CHECK_USAGE(min_area > 0 && min_area <= 1,
                  "smallest crop area is {}; expected a fraction above 0 and at most 1",
                  min_area);
  STC_CHECK_USAGE(min_aspect > 0 && min_aspect <= max_aspect,
                  "crop width / height is {} to {}; expected positive numbers in rising order",
                  min_aspect,
                  max_aspect);
}

ClipView draw_clip_view(CounterRandom& random, int height, int width, const ClipOptions& options) {
  ClipView view;
  view.flip = random.chance(0.5);
  const CropRange range{options.min_area, options.min_aspect, options.max_aspect};
  view.crop = draw_clip_crop(random, height, width, range);
  return view;
}

ClipFrames draw_clip_frames(CounterRandom& random, std::int64_t frames, int frame_gap) {
  const std::int64_t gap = std::min<std::int64_t>(frame_gap, frames - 1);
  const std::int64_t start = random.integer(0, frames - 1 - gap);
  return {start, start + gap};
}

void render_clip_frame(const Image& frame,
                       const ClipView& view,
                       int size,
                       std::span<std::uint8_t> rgb,
                       std::span<float> lab) {
  const auto values =
      std::size_t{3} * static_cast<std::size_t>(size) * static_cast<std::size_t>(size);
  STC_CHECK(rgb.size() == values && (lab.empty() || lab.size() == values),
            "a frame of side {} does not fit into {} bytes and {} floats",
            size,
            rgb.size(),
            lab.size());
  // cv::Mat takes no const pointer; the frame is only read.
  const cv::Mat whole(
      frame.height, frame.width, CV_8UC3, const_cast<std::uint8_t*>(frame.pixels.data()));
  const cv::Rect box(view.crop.x, view.crop.y, view.crop.width, view.crop.height);
  cv::Mat resized;
  cv::resize(whole(box), resized, cv::Size(size, size), 0, 0, cv::INTER_LINEAR);
  if (view.flip) cv::flip(resized, resized, 1);
  store_rgb(resized, rgb);
  if (lab.empty()) return;
  cv::Mat scaled;
  resized.convertTo(scaled, CV_32F, 1.0 / 255.0);
  cv::Mat converted;
  cv::cvtColor(scaled, converted, cv::COLOR_RGB2Lab);
  store_lab(converted, lab);
}

void run_opencv_on_the_callers_thread() { cv::setNumThreads(0); }

}  // namespace stc::data
