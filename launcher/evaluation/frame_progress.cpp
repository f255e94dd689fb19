#include "launcher/evaluation/frame_progress.h"

#include <algorithm>
#include <cstdio>

#include "eval/scores/score_tables.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

std::string number(double value) { return eval::formatted("%.1f", value); }

std::string minutes_and_seconds(double seconds) {
  const auto whole = static_cast<long>(seconds);
  char digits[32];
  std::snprintf(digits, sizeof(digits), "%ld:%02ld", whole / 60, whole % 60);
  return digits;
}

}  // namespace

void FrameProgress::update(const std::string& clip,
                           std::int64_t frame,
                           std::int64_t frames,
                           std::int64_t done) {
  if (frame == 1) since_clip_start_.restart();
  if (line_.is_due()) {
    const double rate = static_cast<double>(done) / std::max(1e-9, since_start_.seconds());
    const double left = static_cast<double>(total_ - done) / rate;
    line_.draw(text("{} {}{}  {} frames/s{}",
                    clip,
                    frame,
                    frames > 0 ? text("/{}", frames) : "",
                    number(rate),
                    total_ > 0 ? text("  {} left", minutes_and_seconds(left)) : ""));
  }
  if (frame == frames)
    log::info("{}: {} frames, {} s", clip, frames, number(since_clip_start_.seconds()));
}

}  // namespace stc::launcher
