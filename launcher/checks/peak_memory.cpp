#include "launcher/checks/peak_memory.h"

#include <c10/core/CachingDeviceAllocator.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace stc::launcher {
namespace {

/// A field of /proc/self/status ("VmHWM:", "VmRSS:").
std::optional<std::int64_t> status_bytes(const std::string& field) {
  std::ifstream status("/proc/self/status");
  for (std::string word; status >> word;) {
    std::int64_t kilobytes = 0;
    if (word == field && status >> kilobytes) return kilobytes * 1024;
  }
  return {};
}

/// The peak is counted from here on; false: the system refuses.
bool restart_host_peak() {
  std::ofstream file("/proc/self/clear_refs");
  file << "5" << std::flush;
  return file.good();
}

}  // namespace

PeakMemory::PeakMemory(c10::Device device) : device_(device) {
  if (device.is_cpu()) {
    if (restart_host_peak()) resident_at_start_ = status_bytes("VmRSS:");
  } else {
    c10::getDeviceAllocator(device.type())->resetPeakStats(device.index());
  }
}

std::optional<std::int64_t> PeakMemory::bytes() const {
  if (device_.is_cpu()) {
    const auto peak = status_bytes("VmHWM:");
    if (!peak || !resident_at_start_) return {};
    return std::max<std::int64_t>(*peak - *resident_at_start_, 0);
  }
  const auto stats = c10::getDeviceAllocator(device_.type())->getDeviceStats(device_.index());
  const auto whole = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return stats.allocated_bytes[whole].peak;
}

}  // namespace stc::launcher
