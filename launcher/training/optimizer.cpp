#include "launcher/training/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

const char* first_name(OptimizerKind kind) {
  return kind == OptimizerKind::kSgd ? "momentum." : "first_moment.";
}
constexpr const char* kSecondName = "second_moment.";

constexpr std::int64_t kGrowAfter = 2000;
constexpr double kLargest = 1 << 24;

}  // namespace

void LossScaler::update(bool finite) {
  if (!on_) return;
  if (!finite) {
    ++skipped_;
    good_ = 0;
    scale_ = std::max(1.0, scale_ / 2);
    return;
  }
  skipped_ = 0;
  if (++good_ < kGrowAfter) return;
  good_ = 0;
  scale_ = std::min(kLargest, scale_ * 2);
}

at::Tensor LossScaler::state() const {
  return at::tensor({scale_, static_cast<double>(good_), static_cast<double>(skipped_)},
                    at::kDouble);
}

void LossScaler::load(const at::Tensor& state) {
  scale_ = state[0].item<double>();
  good_ = static_cast<std::int64_t>(state[1].item<double>());
  skipped_ = static_cast<std::int64_t>(state[2].item<double>());
}

Optimizer::Optimizer(const OptimizerOptions& options, models::NamedTensorList parameters)
    : scaler(options.scale_loss), options_(options), parameters_(std::move(parameters)) {
  for (const auto& [name, parameter] : parameters_) {
    first_.push_back(at::zeros_like(parameter).detach());
    if (options_.kind == OptimizerKind::kAdam)
      second_.push_back(at::zeros_like(parameter).detach());
  }
}

std::vector<at::Tensor> Optimizer::gradients() const {
  std::vector<at::Tensor> all;
  for (const auto& [name, parameter] : parameters_) {
    STC_CHECK(parameter.grad().defined(),
              "parameter '{}' got no gradient; every parameter must reach the loss",
              name);
    all.push_back(parameter.grad());
  }
  return all;
}

double Optimizer::gradient_norm() const {
  return at::stack(at::_foreach_norm(gradients())).norm().item<double>() / scaler.scale();
}

void Optimizer::finish_gradients(double norm, double most) {
  const double length = most > 0 && norm > most ? most / norm : 1;
  if (length == 1 && scaler.scale() == 1) return;
  const at::NoGradGuard no_grad;
  at::_foreach_mul_(gradients(), length / scaler.scale());
}

void Optimizer::step(double rate) {
  const at::NoGradGuard no_grad;
  const auto gradients = this->gradients();
  std::vector<at::Tensor> values, counts;
  for (const auto& [name, parameter] : parameters_) values.push_back(parameter.detach());
  if (options_.kind == OptimizerKind::kSgd) {
    const bool has_momentum = options_.momentum != 0;  // the kernel takes no buffers without one
    at::_fused_sgd_(values,
                    gradients,
                    has_momentum ? at::TensorList(first_) : at::TensorList(),
                    options_.weight_decay,
                    options_.momentum,
                    rate,
                    /*dampening=*/0,
                    /*nesterov=*/false,
                    /*maximize=*/false,
                    /*is_first_step=*/steps_ == 0);
    ++steps_;
    return;
  }
  ++steps_;
  const auto count =
      at::full({}, static_cast<double>(steps_), values[0].options().dtype(at::kFloat));
  counts.assign(values.size(), count);
  at::_fused_adam_(values,
                   gradients,
                   first_,
                   second_,
                   {},
                   counts,
                   rate,
                   options_.beta1,
                   options_.beta2,
                   options_.weight_decay,
                   options_.epsilon,
                   /*amsgrad=*/false,
                   /*maximize=*/false);
}

data::NamedTensors Optimizer::state() const {
  data::NamedTensors state{{"steps", at::full({1}, steps_, at::kLong)}};
  if (scaler.on()) state["loss_scaler"] = scaler.state();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    state[first_name(options_.kind) + parameters_[i].first] = first_[i];
    if (!second_.empty()) state[kSecondName + parameters_[i].first] = second_[i];
  }
  return state;
}

void Optimizer::load(const data::NamedTensors& state, const std::string& source) {
  models::copy_named(state, this->state(), source, "the optimizer of this configuration");
  steps_ = state.at("steps").item<std::int64_t>();
  if (scaler.on()) scaler.load(state.at("loss_scaler"));
}

}  // namespace stc::launcher
