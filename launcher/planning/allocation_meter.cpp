#include "launcher/planning/allocation_meter.h"

#include <c10/core/Allocator.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <algorithm>
#include <mutex>

namespace stc::launcher {

// Takes the place of LibTorch's profiler.
struct AllocationMeter::State : c10::MemoryReportingInfoBase {
  void reportMemoryUsage(
      void*, std::int64_t bytes, std::size_t, std::size_t, c10::Device) override {
    const std::lock_guard lock(mutex);
    live += bytes;
    peak = std::max(peak, live);
  }
  bool memoryProfilingEnabled() const override { return true; }

  std::mutex mutex;
  std::int64_t live = 0, peak = 0;
};

struct AllocationMeter::Guard {
  explicit Guard(std::shared_ptr<State> state)
      : guard(c10::DebugInfoKind::PROFILER_STATE, std::move(state)) {}
  c10::DebugInfoGuard guard;
};

AllocationMeter::AllocationMeter()
    : state_(std::make_shared<State>()), guard_(std::make_unique<Guard>(state_)) {}

AllocationMeter::~AllocationMeter() = default;

std::int64_t AllocationMeter::live() const {
  const std::lock_guard lock(state_->mutex);
  return state_->live;
}

std::int64_t AllocationMeter::peak() const {
  const std::lock_guard lock(state_->mutex);
  return state_->peak;
}

void AllocationMeter::restart_peak() {
  const std::lock_guard lock(state_->mutex);
  state_->peak = state_->live;
}

}  // namespace stc::launcher
