// SGD with momentum (step 1) and Adam (step 2): ATen's fused updates, with state that is plain
// named tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "data/weights/safetensors.h"
#include "launcher/training/loss_scaler.h"
#include "models/resnet.h"

namespace stc::launcher {

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
  /// Throws stc::Error (kBadData) naming the tensor that is missing or of another shape.
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
