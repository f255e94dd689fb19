// What this process is doing: the step it is in, and the phase of it. One per process, like the
// log; it says what a rank was last doing when it no longer answers.
#pragma once

#include <cstdint>

#include "monitoring/stopwatch.h"

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
  std::int64_t step = 0;  ///< the current step, counted from 1; 0 before the first
  Phase phase = Phase::kStarting;
  SteadyTime since;  ///< when the phase was entered
};

/// Each is safe from any thread and costs nanoseconds.
void begin_step(std::int64_t step);
void enter(Phase phase);
Activity now();

const char* name(Phase phase);  ///< "data wait", "forward", ...

}  // namespace stc::activity
