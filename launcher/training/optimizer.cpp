#include "launcher/training/optimizer.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

const char* first_name(OptimizerKind kind) {
  return kind == OptimizerKind::kSgd ? "momentum." : "first_moment.";
}
constexpr const char* kSecondName = "second_moment.";

constexpr double kFirstScale = 65536;
constexpr std::int64_t kGrowAfter = 2000;
constexpr double kLargest = 1 << 24;

}  // namespace

LossScaler::LossScaler(bool on, at::Device device) : on_(on) {
  state_ = at::tensor({on ? kFirstScale : 1.0, 0.0, 0.0}, at::kDouble).to(device);
}

// Arithmetic instead of branches: the device decides.
void LossScaler::update(const at::Tensor& finite) {
  if (!on_) return;
  const auto failed = 1 - finite;
  const auto scale = state_[0], good = state_[1] + 1, skipped = state_[2] + 1;
  const auto grown = good.ge(kGrowAfter).to(at::kDouble);
  const auto larger = (scale * (1 + grown)).clamp_max(kLargest);
  const auto smaller = (scale / 2).clamp_min(1);
  state_.copy_(at::stack({larger * finite + smaller * failed,  //
                          good * (1 - grown) * finite,
                          skipped * failed}));
}

Optimizer::Optimizer(const OptimizerOptions& options, models::NamedTensorList parameters)
    : scaler(options.scale_loss, parameters.at(0).second.device()),
      options_(options),
      parameters_(std::move(parameters)) {
  const auto on_device = at::TensorOptions(parameters_[0].second.device());
  steps_ = at::zeros({1}, on_device.dtype(at::kLong));
  skip_ = at::zeros({}, on_device.dtype(at::kFloat));
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

at::Tensor Optimizer::gradient_norm() const {
  return at::stack(at::_foreach_norm(gradients())).norm().to(at::kDouble) / scaler.scale();
}

void Optimizer::rescale(const std::vector<at::Tensor>& gradients,
                        const at::Tensor& norm,
                        double most) const {
  if (most == 0 && !scaler.on()) return;
  auto factor = scaler.scale().reciprocal();
  if (most > 0) factor = factor * (most / norm).clamp_max(1);
  at::_foreach_mul_(gradients, factor.to(gradients[0].scalar_type()));
}

void Optimizer::step(double rate, const at::Tensor& norm, double most) {
  const at::NoGradGuard no_grad;
  const auto gradients = this->gradients();
  const auto finite = at::isfinite(norm).to(at::kDouble);
  const auto failed = (1 - finite).to(at::kFloat);
  skip_ = scaler.on() ? failed.maximum(scaler.skipped().ge(LossScaler::kMostSkipped))
                      : failed.maximum(skip_);
  rescale(gradients, norm, most);
  scaler.update(finite);
  steps_.add_(skip_.eq(0));
  update(gradients, rate);
}

// By ATen's fused kernels, which do nothing where skip_ is 1.
void Optimizer::update(const std::vector<at::Tensor>& gradients, double rate) {
  std::vector<at::Tensor> values;
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
                    /*is_first_step=*/false,  // momentum begins at 0, which comes to the same
                    /*grad_scale=*/{},
                    /*found_inf=*/skip_);
    return;
  }
  const std::vector<at::Tensor> counts(values.size(), steps_.to(at::kFloat).squeeze());
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
                   /*maximize=*/false,
                   /*grad_scale=*/{},
                   /*found_inf=*/skip_);
}

data::NamedTensors Optimizer::state() const {
  data::NamedTensors state{{"steps", steps_}};
  if (scaler.on()) state["loss_scaler"] = scaler.state();
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    state[first_name(options_.kind) + parameters_[i].first] = first_[i];
    if (!second_.empty()) state[kSecondName + parameters_[i].first] = second_[i];
  }
  return state;
}

void Optimizer::load(const data::NamedTensors& state, const std::string& source) {
  models::copy_named(state, this->state(), source, "the optimizer of this configuration");
}

}  // namespace stc::launcher
