// Elapsed time in seconds, on a clock that never jumps.
#pragma once

#include <chrono>

namespace stc {

using SteadyTime = std::chrono::steady_clock::time_point;

inline SteadyTime steady_now() { return std::chrono::steady_clock::now(); }

inline double seconds_between(SteadyTime from, SteadyTime to) {
  return std::chrono::duration<double>(to - from).count();
}

inline double seconds_since(SteadyTime start) { return seconds_between(start, steady_now()); }

/// Runs from its construction, or from the last restart().
class Stopwatch {
 public:
  double seconds() const { return seconds_since(start_); }
  void restart() { start_ = steady_now(); }

 private:
  SteadyTime start_ = steady_now();
};

}  // namespace stc
