// What is said when a step does not fit into the memory of its GPU. Pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "monitoring/activity.h"

namespace stc::launcher {

/// Bytes, as LibTorch's message says them; 0: it does not.
struct FailedAllocation {
  double asked = 0;
  double capacity = 0;  ///< of the GPU
  double free = 0;      ///< that nobody holds
  double in_use = 0;    ///< by this process's tensors
  double reserved = 0;  ///< by this process, beside them
};

FailedAllocation parse_failed_allocation(const std::string& message);

/// The step that failed; bytes.
struct FailedStep {
  std::int64_t step = 0;  ///< counted from 1
  activity::Phase phase = activity::Phase::kForward;
  std::int64_t between_steps = 0;                 ///< in use when it began
  std::map<activity::Phase, std::int64_t> peaks{};  ///< of all steps so far, this one included
  std::int64_t samples = 0;                       ///< that this rank computes at once
};

/// How many samples would fit: by the bytes that each has in use at the peak, from what was in use
/// and asked for, without what is in use between steps. -1: not enough is known. Too high when
/// forward failed, which is before the peak, and for a first step, whose optimizer has no state
/// yet.
std::int64_t samples_that_fit(const FailedAllocation& failed, const FailedStep& step);

std::string out_of_memory_text(const FailedAllocation& failed, const FailedStep& step);

}  // namespace stc::launcher
