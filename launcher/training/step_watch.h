// What is noted while a training step runs, and that changes nothing of it: which phase it is in,
// for the log of a rank that hangs (monitoring/activity.h) and as a range of every profile
// (LibTorch's own, and Nsight Systems' through NVTX); a trace of the steps of train.trace_steps;
// the operations of a step; the GPU's memory by phase.
#pragma once

#include <c10/core/Device.h>
#include <c10/util/Exception.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "launcher/training/operation_count.h"
#include "launcher/training/phase_memory.h"
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
  struct Options {
    c10::Device device = c10::kCPU;
    std::string trace_steps{};  ///< as for traced_steps()
    std::string trace_file{};   ///< that their trace goes to
    std::int64_t samples = 0;   ///< that this rank computes at once
  };
  explicit StepWatch(const Options& options);
  ~StepWatch();  ///< a trace that has begun is written

  void begin_step(std::int64_t step);  ///< counted from 1
  void enter(activity::Phase phase);   ///< which ends the phase before it
  void end_step();

  /// Of the first step; nothing before its end.
  const std::optional<Operations>& operations_per_step() const { return operations_; }
  /// The most device memory that tensors had in use in a step; nothing on the CPU.
  std::optional<std::int64_t> memory_peak() const;

  /// Runs a part of the step. When the device's memory does not suffice, the error says what has it
  /// and what would fit.
  template <typename Body>
  auto explain_lack_of_memory(const Body& body) {
    try {
      return body();
    } catch (const c10::OutOfMemoryError& error) {
      throw_out_of_memory(error.what_without_backtrace());
    }
  }

 private:
  class Range;
  class Trace;

  [[noreturn]] void throw_out_of_memory(const std::string& message);

  const c10::Device device_;
  const std::int64_t samples_;
  std::int64_t step_ = 0;
  std::unique_ptr<Trace> trace_;  // unless none is asked for; outlives the ranges in it
  std::unique_ptr<Range> in_step_, in_phase_;
  std::unique_ptr<OperationCount> count_;  // in the first step
  std::optional<Operations> operations_;
  std::optional<PhaseMemory> memory_;  // of a GPU
};

}  // namespace stc::launcher
