// A bar with rate, loss and time left on a terminal; one plain line a minute elsewhere.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace stc::launcher {

class Progress {
 public:
  /// `what` in front ("train"); steps first..total; units_per_step samples (for "samples/s"). Silent where `show` is false.
  Progress(const std::string& what, std::int64_t first, std::int64_t total, std::int64_t units_per_step, bool show);
  ~Progress();
  void update(std::int64_t step, double loss);
  void clear();  ///< takes the bar off the screen so that a line can be printed; the next update draws it again
 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stc::launcher
