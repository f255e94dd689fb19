// Frames done, rate and time left.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "monitoring/progress.h"

namespace stc::launcher {

/// One line that is drawn again on a terminal, and everywhere one line per clip.
class FrameProgress {
 public:
  explicit FrameProgress(std::int64_t total) : total_(total) {}  ///< frames; 0: unknown
  /// Frame `frame` of the `frames` of one clip is done; `done` are those of all clips, on all
  /// ranks.
  void update(const std::string& clip, std::int64_t frame, std::int64_t frames, std::int64_t done);

 private:
  using Clock = std::chrono::steady_clock;

  std::int64_t total_;
  ProgressLine line_;
  Clock::time_point started_ = Clock::now(), clip_started_ = started_;
};

}  // namespace stc::launcher
