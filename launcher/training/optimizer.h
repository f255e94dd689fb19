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

  /// The norm of all gradients together, without the loss's scale; equal on all ranks after the
  /// reduction.
  double gradient_norm() const;
  /// Takes the loss's scale out of the gradients, and scales what is longer than `most` (0: never)
  /// to that norm.
  void finish_gradients(double norm, double most);
  void step(double learning_rate);

  /// momentum.NAME, or first_moment.NAME, second_moment.NAME; "steps" [1]; "loss_scaler" [3]. Not
  /// copies.
  data::NamedTensors state() const;
  /// Throws stc::Error (kBadData) naming the tensor that is missing or of another size.
  void load(const data::NamedTensors& state, const std::string& source);

  LossScaler scaler;  ///< part of the state if it is on

 private:
  std::vector<at::Tensor> gradients() const;

  OptimizerOptions options_;
  models::NamedTensorList parameters_;
  std::vector<at::Tensor> first_;   // momentum, or first moment
  std::vector<at::Tensor> second_;  // Adam
  std::int64_t steps_ = 0;
};

}  // namespace stc::launcher
