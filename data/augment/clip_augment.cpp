#include "data/augment/clip_augment.h"

#include <algorithm>
#include <array>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

namespace stc::data {
namespace {

/// Interleaved pixels to three planes, each value through (value - offset) * scale of its channel.
void store_lab(const cv::Mat& lab, float* out) {
  constexpr std::array<float, 3> kOffset{50.0F, 0.0F, 0.0F};
  constexpr std::array<float, 3> kDivisor{50.0F, 127.0F, 127.0F};
  const std::size_t pixels = lab.total();
  const auto* source = lab.ptr<float>();
  for (int channel = 0; channel < 3; ++channel)
    for (std::size_t i = 0; i < pixels; ++i)
      out[channel * pixels + i] = (source[3 * i + channel] - kOffset[channel]) / kDivisor[channel];
}

void store_rgb(const cv::Mat& rgb, std::uint8_t* out) {
  const std::size_t pixels = rgb.total();
  const auto* source = rgb.ptr<std::uint8_t>();
  for (int channel = 0; channel < 3; ++channel)
    for (std::size_t i = 0; i < pixels; ++i) out[channel * pixels + i] = source[3 * i + channel];
}

}  // namespace

ClipView draw_clip_view(CounterRandom& random, int height, int width, const ClipOptions& options) {
  ClipView view;
  view.flip = random.chance(0.5);
  view.crop = draw_clip_crop(
      random, height, width, options.min_area, options.min_aspect, options.max_aspect);
  return view;
}

ClipFrames draw_clip_frames(CounterRandom& random, std::int64_t frames, int frame_gap) {
  const std::int64_t gap = std::min<std::int64_t>(frame_gap, frames - 1);
  const std::int64_t start = random.integer(0, frames - 1 - gap);
  return {start, start + gap};
}

void render_clip_frame(
    const Image& frame, const ClipView& view, int size, std::uint8_t* rgb, float* lab) {
  // cv::Mat takes no const pointer; the frame is only read.
  const cv::Mat whole(
      frame.height, frame.width, CV_8UC3, const_cast<std::uint8_t*>(frame.pixels.data()));
  const cv::Rect box(view.crop.x, view.crop.y, view.crop.width, view.crop.height);
  cv::Mat resized;
  cv::resize(whole(box), resized, cv::Size(size, size), 0, 0, cv::INTER_LINEAR);
  if (view.flip) cv::flip(resized, resized, 1);
  store_rgb(resized, rgb);
  cv::Mat scaled;
  resized.convertTo(scaled, CV_32F, 1.0 / 255.0);
  cv::Mat converted;
  cv::cvtColor(scaled, converted, cv::COLOR_RGB2Lab);
  store_lab(converted, lab);
}

void run_opencv_on_the_callers_thread() { cv::setNumThreads(0); }

}  // namespace stc::data
