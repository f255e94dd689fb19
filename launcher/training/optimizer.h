// SGD with momentum (step 1) and Adam (step 2): ATen's fused updates, with state that is plain
// named tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "data/weights/safetensors.h"
#include "models/resnet.h"

namespace stc::launcher {

/// The loss is multiplied by a scale before backward and the gradients divided by it after. A step
/// whose gradient is not finite is skipped and halves the scale; 2000 good ones double it. All
/// ranks take the same decisions, since they see the same reduced gradient. The numbers live on the
/// device, so that the host need not wait for them. Off: the scale is 1 and stays.
class LossScaler {
 public:
  static constexpr std::int64_t kMostSkipped = 50;

  LossScaler(bool on, at::Device device);
  bool on() const { return on_; }
  at::Tensor scale() const { return state_[0]; }    ///< 0-dim double; moves with update()
  at::Tensor skipped() const { return state_[2]; }  ///< steps in a row; the same

  void update(const at::Tensor& finite);  ///< 0-dim double: 1 or 0

  at::Tensor state() const { return state_; }  ///< [3] double; not a copy

 private:
  bool on_;
  at::Tensor state_;  // scale, good steps since it last changed, skipped steps in a row
};

enum class OptimizerKind { kSgd, kAdam };

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::kAdam;
  double momentum = 0.9;    ///< SGD
  double weight_decay = 0;  ///< on all parameters, batch norm and biases included
  double beta1 = 0.9;       ///< Adam
  double beta2 = 0.999;     ///< Adam
  double epsilon = 1e-8;    ///< Adam
  bool scale_loss = false;  ///< for half precision
};

class Optimizer {
 public:
  /// Parameters whose gradients are there when step() is called.
  Optimizer(const OptimizerOptions& options, models::NamedTensorList parameters);

  /// The norm of all gradients together, without the loss's scale: 0-dim double on their device,
  /// equal on all ranks after the reduction, not finite if one of them is not.
  at::Tensor gradient_norm() const;
  /// One update with gradients scaled down to the norm `most` where `norm` is larger (0: never).
  /// With a norm that is not finite all stays as it is: the parameters, the moments, the count;
  /// unless losses are scaled, at every later step, too. The host does not wait for the device.
  void step(double learning_rate, const at::Tensor& norm, double most);

  /// momentum.NAME, or first_moment.NAME, second_moment.NAME; "steps" [1]; "loss_scaler" [3]. Not
  /// copies.
  data::NamedTensors state() const;
  /// Throws stc::Error (kBadData) naming the tensor that is missing or of another size.
  void load(const data::NamedTensors& state, const std::string& source);

  LossScaler scaler;  ///< part of the state if it is on

 private:
  std::vector<at::Tensor> gradients() const;
  void update(const std::vector<at::Tensor>& gradients, double learning_rate);
  void rescale(const std::vector<at::Tensor>& gradients, const at::Tensor& norm, double most) const;

  OptimizerOptions options_;
  models::NamedTensorList parameters_;
  std::vector<at::Tensor> first_;   // momentum, or first moment
  std::vector<at::Tensor> second_;  // Adam
  at::Tensor steps_;                // [1] int64: updates so far
  at::Tensor skip_;                 // 0-dim float: 1 when the step is skipped
};

}  // namespace stc::launcher
