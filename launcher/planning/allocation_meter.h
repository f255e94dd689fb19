// Bytes that tensors hold, as LibTorch's allocators report them.
#pragma once

#include <cstdint>
#include <memory>

namespace stc::launcher {

/// Counts what this thread allocates and frees from construction to destruction (backward on the
/// CPU runs on it too). Workspaces that kernels allocate elsewhere are not counted.
class AllocationMeter {
 public:
  AllocationMeter();
  ~AllocationMeter();
  AllocationMeter(const AllocationMeter&) = delete;

  std::int64_t live() const;  ///< allocated and not yet freed; below 0 if older memory was freed
  std::int64_t peak() const;  ///< of live() so far, or since restart_peak()
  void restart_peak();

 private:
  struct State;
  std::shared_ptr<State> state_;
  struct Guard;
  std::unique_ptr<Guard> guard_;
};

}  // namespace stc::launcher
