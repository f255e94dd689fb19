// How all ranks stop together when a number of a step is not finite.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "dist/communicator.h"

namespace stc::launcher {

/// A step whose gradient is not finite, as one rank sees it.
struct NotFinite {
  std::int64_t step = 0;     ///< counted from 1
  double gradient_norm = 0;  ///< of the reduced gradient, the same on all ranks
  std::int64_t skipped = 0;  ///< steps right before it that were not finite either
  std::vector<std::pair<std::string, double>> losses{};  ///< this rank's
  std::vector<std::int64_t> samples{};                   ///< this rank's
};

/// Throws on all ranks. The error comes from the rank whose samples caused it and names the
/// loss; if the losses are finite on all ranks, it comes from rank 0. A collective.
[[noreturn]] void stop_not_finite(dist::Communicator& control, const NotFinite& own);

}  // namespace stc::launcher
