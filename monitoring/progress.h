// Progress on standard error: a line that is drawn again on a terminal, plain lines of the log
// elsewhere.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "monitoring/stopwatch.h"

namespace stc {

/// The last line of a terminal; lines of the log appear above it. Does nothing if standard error
/// is not a terminal.
class ProgressLine {
 public:
  explicit ProgressLine(bool shown = true);
  ~ProgressLine();  ///< erases it
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  bool on_terminal() const { return on_terminal_; }
  /// Whether to draw it now: at once, then at most five times per second.
  bool is_due() const;
  void draw(const std::string& line);  ///< cut to the terminal's width
  void erase();                        ///< so that another line can be printed; from any thread
  void keep();                         ///< what is drawn stays on the screen

 private:
  bool on_terminal_;
  std::optional<Stopwatch> since_drawn_;
  std::mutex mutex_;
  bool is_drawn_ = false;
};

/// What a line about steps reports.
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

/// Steps, rate, loss and time left: a bar on a terminal, one line per minute in the log elsewhere.
class Progress {
 public:
  /// `what` comes first ("train"); steps first..total; units_per_step samples (for "samples/s").
  /// Silent unless `show`.
  Progress(const std::string& what,
           std::int64_t first,
           std::int64_t total,
           std::int64_t units_per_step,
           bool show);
  ~Progress();  ///< leaves a last line
  void update(std::int64_t step, double loss);
  /// Takes the bar off the screen so that a line can be printed; a later update draws it again.
  void clear() { line_.erase(); }

 private:
  bool shown_;
  ProgressReading reading_;
  ProgressLine line_;
  Stopwatch since_start_, since_logged_;
  std::int64_t logged_step_ = -1;
};

}  // namespace stc
