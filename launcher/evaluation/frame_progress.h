// Frames done, rate and time left.
#pragma once

#include <cstdint>
#include <string>

#include "monitoring/progress.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {

/// One line that is drawn again on a terminal, and everywhere one line per clip.
class FrameProgress {
 public:
  explicit FrameProgress(std::int64_t total) : total_(total) {}  ///< frames; 0: unknown
  /// Frame `frame` of the `frames` of one clip is done; `done` are those of all clips, on all
  /// ranks.
  void update(const std::string& clip, std::int64_t frame, std::int64_t frames, std::int64_t done);

 private:
  std::int64_t total_;
  ProgressLine line_;
  Stopwatch since_start_, since_clip_start_;
};

}  // namespace stc::launcher
