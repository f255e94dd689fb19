// Times the stages of an evaluation.
#pragma once

#include "monitoring/stopwatch.h"

namespace stc::eval {

/// Adds the time from its construction to its end.
class StageTimer {
 public:
  explicit StageTimer(double* seconds) : seconds_(seconds) {}
  ~StageTimer() { *seconds_ += watch_.seconds(); }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  double* seconds_;
  Stopwatch watch_;
};

}  // namespace stc::eval
