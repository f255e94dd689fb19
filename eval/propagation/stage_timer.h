// Where the time of an evaluation goes.
#pragma once

#include <chrono>

namespace stc::eval {

/// Adds the time from its construction to its end.
class StageTimer {
 public:
  explicit StageTimer(double* seconds) : seconds_(seconds) {}
  ~StageTimer() {
    *seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  double* seconds_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace stc::eval
