// What this process is doing: the step it is in, and the phase of it. One a process, like the log;
// read by whoever must say what a rank that no longer answers was last doing.
#pragma once

#include <chrono>
#include <cstdint>

namespace stc::activity {

enum class Phase : std::uint8_t {
  kStarting,
  kDataWait,
  kForward,
  kBackward,
  kUpdate,
  kCheckpoint,
  kProbe,
  kEnding,
};

struct Activity {
  std::int64_t step = 0;  ///< the step under way, counted from 1; 0 before the first
  Phase phase = Phase::kStarting;
  std::chrono::steady_clock::time_point since;  ///< when the phase was entered
};

/// Each is safe from any thread and costs nanoseconds.
void begin_step(std::int64_t step);
void enter(Phase phase);
Activity now();

const char* name(Phase phase);  ///< "data wait", "forward", ...

}  // namespace stc::activity
