// Which rank makes the others wait, step after step: judged by when it arrives at the step's first
// collective (all ranks enter the update before it together), not by how long its backward takes,
// which includes waiting for others.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace stc::launcher {

/// One step as one rank saw it.
struct Arrival {
  /// When it arrived, by a clock that all ranks read alike: only differences count. On a CPU, from
  /// the step's start to its first collective; on a GPU, which ranks wait for in many places of a
  /// step, less the time for which its collectives lasted. NaN if it is not known.
  double seconds = 0;
  double data_wait_seconds = 0;  ///< in that step
};

/// Seconds that each rank came after the first one; empty if one of them is not known.
std::vector<double> arrival_lags(const std::vector<Arrival>& arrivals);

class StragglerWatch {
 public:
  /// Reported once it was late in each of kSteps consecutive steps looked at, and again only
  /// after it was in time in between.
  static constexpr int kSteps = 5;
  /// Late: by more than this share of the step, and more than 20 ms.
  static constexpr double kShare = 0.1;

  /// arrivals: of all ranks in rank order. Returns a line for the log if there is one to write. A
  /// step of which one is not known is not looked at.
  std::optional<std::string> look(const std::vector<Arrival>& arrivals, double step_seconds);

 private:
  int last_ = -1;  // the rank that was late last
  int times_ = 0;  // in a row
};

}  // namespace stc::launcher
