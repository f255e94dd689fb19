// What all ranks must know of each other before a step's update, in one small collective.
#pragma once

#include "dist/communicator.h"

namespace stc::launcher {

struct StepStatus {
  bool finite = true;   ///< loss and gradient
  int stop_signal = 0;  ///< 0: none
};

/// Finite if all ranks are; the highest of several signals. A collective.
StepStatus of_all_ranks(dist::Communicator& control, const StepStatus& own);

}  // namespace stc::launcher
