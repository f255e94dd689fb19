// What a stretch of work asks of the processor: floating-point operations, calls of ATen's
// operators, reads by the host. Seen through LibTorch's RecordFunction, which costs time: count one
// step, not every step.
#pragma once

#include <ATen/record_function.h>
#include <c10/core/Device.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <cstdint>
#include <memory>

namespace stc::launcher {

struct Operations {
  /// Floating-point operations of convolutions and matrix products and of their backward, by their
  /// shapes; a multiplication with an addition is 2. All else is not counted.
  double floating_point = 0;
  std::int64_t aten_calls = 0;  ///< of operators, and of those that operators call
  /// Values that the host reads from the device, each of which waits for it: `.item()`, copies to
  /// the host, nonzero. On the CPU, where none of them waits, the calls of `.item()` alone.
  std::int64_t host_reads = 0;
};

/// Counts, from its construction on, what its thread does, and what backward does for it on other
/// threads. Counts on the same thread must end in the reverse order of their beginning; the
/// innermost one counts.
class OperationCount {
 public:
  explicit OperationCount(at::Device device);
  ~OperationCount();
  OperationCount(const OperationCount&) = delete;

  Operations so_far() const;

 private:
  class Tally;

  const bool outermost_;
  std::shared_ptr<Tally> tally_;
  c10::DebugInfoGuard in_place_;
  at::CallbackHandle callback_ = 0;
};

}  // namespace stc::launcher
