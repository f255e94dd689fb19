// Before the update: what all ranks must know of each other, and how they stop together if a number
// is not finite on one of them.
#pragma once

#include <cstdint>

#include "dist/communicator.h"
#include "launcher/training/method.h"

namespace stc::launcher {

/// On this rank. `norm`: of the reduced gradient, the same on all ranks; a loss may be wrong on one
/// alone.
bool is_finite(double norm, const StepOutcome& outcome);

struct StepStatus {
  bool finite = true;   ///< loss and gradient
  int stop_signal = 0;  ///< 0: none
};

/// Finite if all ranks are; the highest of several signals. One small collective.
StepStatus of_all_ranks(dist::Communicator& control, const StepStatus& own);

/// Throws on all ranks. The error comes from the rank whose samples caused it and names the
/// loss; if the losses are finite on all ranks, it comes from rank 0. `skipped`: steps before it
/// that were not finite either. A collective.
[[noreturn]] void stop_not_finite(dist::Communicator& control,
                                  std::int64_t step,
                                  double norm,
                                  const StepOutcome& outcome,
                                  std::int64_t skipped);

}  // namespace stc::launcher
