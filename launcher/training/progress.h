// A bar with rate, loss and time left on a terminal; one plain line a minute elsewhere.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace stc::launcher {

class Progress {
 public:
  /// `what` in front ("train"); steps first..total; units_per_step samples (for "samples/s").
  /// Silent where `show` is false.
  Progress(const std::string& what,
           std::int64_t first,
           std::int64_t total,
           std::int64_t units_per_step,
           bool show);
  ~Progress();  ///< leaves a last line
  void update(std::int64_t step, double loss);
  void clear();  ///< takes the bar off the screen so that a line can be printed; the next update
                 ///< draws it again
 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// What a line of progress tells.
struct ProgressReading {
  std::string what;
  std::int64_t first = 0, step = 0, total = 0, units_per_step = 1;
  double seconds = 0;  ///< since step `first`
  double loss = 0;
};

/// "train 450/1000 45% 128.3 samples/s loss 1.2340 left 0:03:12"; rate and time left are "-" before
/// the first step.
std::string progress_line(const ProgressReading& reading);
/// The same with a bar of `bar_cells` cells.
std::string progress_bar(const ProgressReading& reading, std::int64_t bar_cells);

}  // namespace stc::launcher
