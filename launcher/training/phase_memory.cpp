#include "launcher/training/phase_memory.h"

#include <c10/core/CachingDeviceAllocator.h>

#include <algorithm>

namespace stc::launcher {

using activity::Phase;

MemoryReading read_memory(c10::Device device) {
  auto* allocator = c10::getDeviceAllocator(device.type());
  const auto stats = allocator->getDeviceStats(device.index());
  const auto& in_use =
      stats.allocated_bytes[static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE)];
  allocator->resetPeakStats(device.index());
  return {in_use.current, in_use.peak};
}

void PhaseMemory::begin_step() { between_steps_ = read_().now; }

void PhaseMemory::enter(Phase phase) {
  leave();
  phase_ = phase;
}

void PhaseMemory::end_step() {
  leave();
  phase_ = Phase::kStarting;
}

void PhaseMemory::leave() {
  const auto reading = read_();
  if (phase_ == Phase::kStarting) return;
  auto& peak = peaks_[phase_];
  peak = std::max(peak, reading.most);
}

std::int64_t PhaseMemory::peak() const {
  std::int64_t most = 0;
  for (const auto& [phase, bytes] : peaks_) most = std::max(most, bytes);
  return most;
}

}  // namespace stc::launcher
