// The most memory that a piece of work holds.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <optional>

namespace stc::launcher {

/// From its construction on. On a GPU: what tensors occupy, by the caching allocator; on the CPU:
/// by how much the process grew. One at a time.
class PeakMemory {
 public:
  explicit PeakMemory(c10::Device device);
  /// Nothing where the system does not say.
  std::optional<std::int64_t> bytes() const;

 private:
  c10::Device device_;
  std::optional<std::int64_t> resident_at_start_;
};

}  // namespace stc::launcher
