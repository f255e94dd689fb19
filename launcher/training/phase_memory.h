// How much of a GPU's memory a step holds in each of its phases.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <functional>
#include <map>

#include "monitoring/activity.h"

namespace stc::launcher {

/// Bytes in use by tensors.
struct MemoryReading {
  std::int64_t now = 0;
  std::int64_t most = 0;  ///< since the reading before it
};

/// Reads the caching allocator of a GPU and restarts its peak.
MemoryReading read_memory(c10::Device device);

class PhaseMemory {
 public:
  /// `read`: called when a phase is entered or left.
  explicit PhaseMemory(std::function<MemoryReading()> read) : read_(std::move(read)) { read_(); }

  void begin_step();
  void enter(activity::Phase phase);
  void end_step();  ///< also of one that failed

  std::int64_t between_steps() const { return between_steps_; }  ///< in use when the step began
  /// The most of each phase in all steps so far; a phase under way is not in it.
  const std::map<activity::Phase, std::int64_t>& peaks() const { return peaks_; }
  std::int64_t peak() const;  ///< of them all

 private:
  void leave();

  std::function<MemoryReading()> read_;
  activity::Phase phase_ = activity::Phase::kStarting;  // which is none of a step
  std::int64_t between_steps_ = 0;
  std::map<activity::Phase, std::int64_t> peaks_;
};

}  // namespace stc::launcher
