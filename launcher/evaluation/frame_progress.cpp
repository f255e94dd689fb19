#include "launcher/evaluation/frame_progress.h"

#include <algorithm>
#include <cstdio>

#include "monitoring/log.h"

namespace stc::launcher {
namespace {

std::string number(double value) {
  char digits[32];
  std::snprintf(digits, sizeof(digits), "%.1f", value);
  return digits;
}

std::string minutes_and_seconds(double seconds) {
  const auto whole = static_cast<long>(seconds);
  char digits[32];
  std::snprintf(digits, sizeof(digits), "%ld:%02ld", whole / 60, whole % 60);
  return digits;
}

double seconds_since(std::chrono::steady_clock::time_point then) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - then).count();
}

}  // namespace

void FrameProgress::update(const std::string& clip,
                           std::int64_t frame,
                           std::int64_t frames,
                           std::int64_t done) {
  if (frame == 1) clip_started_ = Clock::now();
  if (line_.is_due()) {
    const double rate = static_cast<double>(done) / std::max(1e-9, seconds_since(started_));
    const double left = static_cast<double>(total_ - done) / rate;
    line_.draw(text("{} {}{}  {} frames/s{}",
                    clip,
                    frame,
                    frames > 0 ? text("/{}", frames) : "",
                    number(rate),
                    total_ > 0 ? text("  {} left", minutes_and_seconds(left)) : ""));
  }
  if (frame == frames)
    log::info("{}: {} frames, {} s", clip, frames, number(seconds_since(clip_started_)));
}

}  // namespace stc::launcher
