#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "launcher/evaluation/propagation_arguments.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {

using Clock = std::chrono::steady_clock;

struct FrameProgress::State {
  std::int64_t total = 0, done = 0;
  bool is_terminal = ::isatty(STDERR_FILENO) == 1;
  Clock::time_point start = Clock::now(), sequence_start = start, drawn = {};

  static double seconds_since(Clock::time_point then) {
    return std::chrono::duration<double>(Clock::now() - then).count();
  }

  void draw(const std::string& what, std::int64_t frame, std::int64_t frames) {
    const double rate = static_cast<double>(done) / std::max(1e-9, seconds_since(start));
    const auto left = static_cast<int>(static_cast<double>(total - done) / rate);
    std::fprintf(stderr, "\r\033[K%s %ld", what.c_str(), static_cast<long>(frame));
    if (frames > 0) std::fprintf(stderr, "/%ld", static_cast<long>(frames));
    std::fprintf(stderr, "  %.1f frames/s", rate);
    if (total > 0) std::fprintf(stderr, "  %d:%02d left", left / 60, left % 60);
    std::fflush(stderr);
  }
};

FrameProgress::FrameProgress(std::int64_t total) : state_(std::make_unique<State>()) {
  state_->total = total;
  if (state_->is_terminal) {
    log::before_terminal_line([] {
      std::fputs("\r\033[K", stderr);
      std::fflush(stderr);
    });
  }
}

FrameProgress::~FrameProgress() {
  if (!state_->is_terminal) return;
  std::fputs("\r\033[K", stderr);
  log::before_terminal_line({});
}

void FrameProgress::update(const std::string& what,
                           std::int64_t frame,
                           std::int64_t frames,
                           std::int64_t done) {
  constexpr double kRedrawSeconds = 0.2;
  if (frame == 1) state_->sequence_start = Clock::now();
  state_->done = done;
  if (state_->is_terminal && State::seconds_since(state_->drawn) > kRedrawSeconds) {
    state_->draw(what, frame, frames);
    state_->drawn = Clock::now();
  }
  if (frame != frames) return;
  char seconds[32];
  std::snprintf(seconds, sizeof(seconds), "%.1f", State::seconds_since(state_->sequence_start));
  log::info("{}: {} frames, {} s", what, frames, seconds);
}

}  // namespace stc::launcher
