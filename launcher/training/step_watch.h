// What is noted while a training step runs, and that changes nothing of it: which phase it is in,
// for the log of a rank that hangs (monitoring/activity.h), as a range of every profile (LibTorch's
// own, and Nsight Systems' through NVTX), and a trace of the steps of train.trace_steps.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "monitoring/activity.h"

namespace stc::launcher {

/// Steps to trace, counted from 1; both are traced.
struct TracedSteps {
  std::int64_t first = 0, last = 0;
};

/// "100:105"; nothing for "". Throws stc::Error (kUsage).
std::optional<TracedSteps> traced_steps(const std::string& steps);

class StepWatch {
 public:
  /// `steps`: as for traced_steps(); `trace`: the file that their trace goes to.
  StepWatch(c10::Device device, const std::string& steps, std::string trace);
  ~StepWatch();  ///< a trace that has begun is written

  void begin_step(std::int64_t step);  ///< counted from 1
  void enter(activity::Phase phase);   ///< which ends the phase before it
  void end_step();

 private:
  class Range;
  class Trace;

  std::int64_t step_ = 0;
  std::unique_ptr<Trace> trace_;  // unless none is asked for; outlives the ranges in it
  std::unique_ptr<Range> in_step_, in_phase_;
};

}  // namespace stc::launcher
