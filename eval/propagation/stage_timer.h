// Times the stages of an evaluation.
#pragma once

#include "monitoring/stopwatch.h"

namespace stc::eval {

/// The time that one stage takes, summed up over all frames.
class StageTimer {
 public:
  /// What `stage` returns.
  template <typename Stage>
  auto time(const Stage& stage) {
    const Lap lap{*this};
    return stage();
  }
  double seconds() const { return seconds_; }

 private:
  struct Lap {
    StageTimer& timer;
    Stopwatch watch{};
    ~Lap() { timer.seconds_ += watch.seconds(); }
  };

  double seconds_ = 0;
};

}  // namespace stc::eval
