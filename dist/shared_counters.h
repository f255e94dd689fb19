// Counters shared by all ranks, outside the collectives: work handed out as ranks become free,
// progress over all of them.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "dist/communicator.h"

namespace stc::dist {

class SharedCounters {
 public:
  virtual ~SharedCounters() = default;
  /// Adds `amount` to the counter `name`, which begins at 0; returns its value before. With amounts
  /// above 0 no two calls of any ranks return the same value.
  virtual std::int64_t add(const std::string& name, std::int64_t amount) = 0;
};

/// A collective. Rank 0 serves the counters, so it must be the last to release them: a barrier
/// between the last add() and the end.
std::unique_ptr<SharedCounters> open_shared_counters(Communicator& world);

}  // namespace stc::dist
