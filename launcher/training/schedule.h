// Step -> learning rate. Pure functions (docs/method.md 1.4, 2.7).
#pragma once

#include <cstdint>

namespace stc::launcher {

struct ScheduleOptions {
  double learning_rate = 5e-5;    ///< base
  double final_ratio = 0.001;     ///< of the base, at the end of the cosine
  std::int64_t warmup_steps = 0;  ///< linear ramp over the cosine; clipped to the run's steps
  double warmup_ratio = 0.001;    ///< of the cosine, at step 0
  bool per_epoch = false;         ///< the cosine advances per epoch (MoCo) instead of per step
};

/// The rate for 0-based `step` of `steps`; `batch_size` and `epoch_size` matter only if per_epoch.
double learning_rate(const ScheduleOptions& options,
                     std::int64_t step,
                     std::int64_t steps,
                     std::int64_t batch_size,
                     std::int64_t epoch_size);

}  // namespace stc::launcher
