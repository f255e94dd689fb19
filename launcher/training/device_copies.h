// Copies between the host and a GPU that neither of them waits for. On a CPU nothing is copied.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Event.h>
#include <c10/core/Stream.h>

#include <memory>
#include <optional>

namespace stc::launcher {

/// Brings host tensors to a device, on a stream of its own beside the computation.
class Upload {
 public:
  explicit Upload(at::Device device);

  /// True if copies run beside the computation, so that starting one early pays.
  bool is_ahead() const { return stream_.has_value(); }
  /// Begins to copy. The host waits only for a tensor that is not page-locked. Undefined stays so.
  at::Tensor start(const at::Tensor& host) const;
  /// Before the first use of `copy`: the work queued from here on waits for all copies begun so
  /// far.
  void finish(const at::Tensor& copy) const;

 private:
  at::Device device_;
  std::optional<c10::Stream> stream_;  // none: the CPU
};

/// Brings a tensor of a device to the host; only wait() waits.
class Download {
 public:
  Download() = default;
  explicit Download(const at::Tensor& values);
  const at::Tensor& wait() const;  ///< on the host; on a CPU the tensor itself

 private:
  at::Tensor host_;
  std::shared_ptr<const c10::Event> arrived_;  // null on a CPU
};

}  // namespace stc::launcher
