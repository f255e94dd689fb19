// Keeps small gradients above half precision's smallest number, and large ones below its largest.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace stc::launcher {

/// The loss is multiplied by a scale before backward and the gradients divided by it after. A step
/// whose gradient is not finite is skipped and halves the scale; 2000 good ones double it. All
/// ranks take the same decisions, since they see the same reduced gradient. Off: the scale is 1 and
/// stays.
class LossScaler {
 public:
  static constexpr std::int64_t kMostSkipped = 50;

  explicit LossScaler(bool on) : on_(on), scale_(on ? 65536 : 1) {}
  bool on() const { return on_; }
  double scale() const { return scale_; }
  std::int64_t skipped() const { return skipped_; }  ///< steps in a row

  void update(bool finite);

  at::Tensor state() const;  ///< [3] double
  void load(const at::Tensor& state);

 private:
  bool on_;
  double scale_;
  std::int64_t good_ = 0;  // since the scale last changed
  std::int64_t skipped_ = 0;
};

}  // namespace stc::launcher
