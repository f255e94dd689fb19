#include "launcher/training/training_step.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "launcher/training/finite_guard.h"
#include "launcher/training/train_options.h"

namespace stc::launcher {

using activity::Phase;

TrainingStep::TrainingStep(TrainingMethod& method,
                           const Options& options,
                           dist::Communicator& host_ranks,
                           dist::Communicator& device_ranks)
    : optimizer(options.optimizer, method.parameters()),
      method_(method),
      options_(options),
      host_ranks_(host_ranks),
      reducer_(method.parameters(), device_ranks, options.reducer) {}

TrainingStep::Launched TrainingStep::launch(std::int64_t step, double learning_rate) {
  Launched launched{step, compute_gradients(step), {}};
  method_.after_backward();
  const auto norm = optimizer.gradient_norm();
  const auto scale = optimizer.scaler.scale().clone();
  optimizer.step(learning_rate, norm, options_.clip_norm);
  launched.numbers = numbers_of(launched.outcome, norm, scale);
  return launched;
}

// In one tensor, so that one copy brings all.
Download TrainingStep::numbers_of(const StepOutcome& outcome,
                                  const at::Tensor& norm,
                                  const at::Tensor& scale) const {
  std::vector<at::Tensor> values;
  for (const auto* list : {&outcome.losses, &outcome.health}) {
    for (const auto& [name, value] : *list) values.push_back(value);
  }
  const auto own = at::stack({norm, scale, optimizer.scaler.skipped()});
  return Download(at::cat({own, at::stack(values).to(at::kDouble)}));
}

TrainingStep::Result TrainingStep::finish(const Launched& launched) {
  const auto& [step, outcome, numbers] = launched;
  const double* next = numbers.wait().const_data_ptr<double>();
  Result result{.step = step,
                .samples = outcome.samples,
                .data_wait_seconds = outcome.data_wait_seconds,
                .gradient_norm = *next++,
                .loss_scale = *next++};
  const auto skipped = static_cast<std::int64_t>(*next++);
  for (const auto& [name, value] : outcome.losses) result.losses.emplace_back(name, *next++);
  for (const auto& [name, value] : outcome.health) result.health.emplace_back(name, *next++);
  result.updated = std::isfinite(result.gradient_norm);
  // In half precision a step that is not finite is part of finding the loss's scale.
  const bool may_skip = optimizer.scaler.on() && skipped < LossScaler::kMostSkipped;
  if (!result.updated && !may_skip) {
    stop_not_finite(host_ranks_,
                    {step + 1,
                     result.gradient_norm,
                     std::max<std::int64_t>(0, skipped - 1),
                     result.losses,
                     result.samples});
  }
  return result;
}

// Buckets are reduced while the last micro-batch's later gradients are computed.
StepOutcome TrainingStep::compute_gradients(std::int64_t step, Reduction reduction) {
  const auto count = options_.micro_batches;
  const double share = 1 / static_cast<double>(count);
  StepOutcome outcome;
  reducer_.zero();
  for (std::int64_t index = 0; index < count; ++index) {
    options_.on_phase(Phase::kDataWait);
    method_.fetch({step, index});
    options_.on_phase(Phase::kForward);
    const StepOutcome part = method_.forward({step, index});
    options_.on_phase(Phase::kBackward);
    // Not finite if the loss is not, and then so is the gradient: all ranks see it in the mean.
    const auto weight = (part.total.detach() * 0).add_(optimizer.scaler.scale(), share);
    const auto loss = part.total * weight;
    const bool reduce = reduction == Reduction::kMean && index + 1 == count;
    reduce ? reducer_.backward(loss) : reducer_.accumulate(loss);
    options_.on_phase(Phase::kUpdate);
    outcome.add(part, count);
  }
  return outcome;
}

TrainingStep::Options step_options(const TrainOptions& options) {
  TrainingStep::Options step{.optimizer = options.optimizer,
                             .reducer = options.reducer,
                             .micro_batches = options.accumulate,
                             .clip_norm = options.clip_norm};
  step.optimizer.scale_loss = options.precision == "fp16";
  return step;
}

}  // namespace stc::launcher
