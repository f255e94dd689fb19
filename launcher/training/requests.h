// What one rank asks for between two steps, and all ranks then do together.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

#include "dist/communicator.h"

namespace stc::launcher {

struct Requests {
  int stop_signal = 0;  ///< that asks to stop; 0: none
  bool save = false;    ///< a checkpoint
  bool any() const { return stop_signal != 0 || save; }
  void add(const Requests& other);
};

/// The requests of all ranks, on their way: one small collective, which runs beside the step.
class PendingRequests {
 public:
  PendingRequests(dist::Communicator& host_ranks, const Requests& own);
  /// Of all ranks: the highest of several signals. Once.
  Requests wait() const;

 private:
  at::Tensor most_;
  std::function<void()> arrive_;
};

}  // namespace stc::launcher
