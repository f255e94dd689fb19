#include "launcher/training/training_step.h"

#include "launcher/training/finite_guard.h"
#include "launcher/training/stop_signal.h"
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

TrainingStep::Result TrainingStep::run(std::int64_t step, double learning_rate) {
  // 1. Data, forward and backward: this rank's samples; the mean gradient of all ranks.
  Result result{.outcome = compute_gradients(step), .loss_scale = optimizer.scaler.scale()};
  method_.after_backward();

  // 2. Guard: all ranks stop, or skip the step, or none.
  result.gradient_norm = optimizer.gradient_norm();
  const bool finite = is_finite(result.gradient_norm, result.outcome);
  const auto status = of_all_ranks(host_ranks_, {finite, options_.stop_signal()});
  result.updated = status.finite;
  result.stop_signal = status.stop_signal;
  if (!status.finite) check_may_skip(step, result.gradient_norm, result.outcome);

  // 3. Update.
  if (status.finite) {
    optimizer.finish_gradients(result.gradient_norm, options_.clip_norm);
    optimizer.step(learning_rate);
  }
  optimizer.scaler.update(status.finite);
  return result;
}

// Buckets are reduced while the last micro-batch's later gradients are computed.
StepOutcome TrainingStep::compute_gradients(std::int64_t step, Reduction reduction) {
  const auto count = options_.micro_batches;
  const double weight = optimizer.scaler.scale() / static_cast<double>(count);
  StepOutcome outcome;
  reducer_.zero();
  for (std::int64_t index = 0; index < count; ++index) {
    options_.on_phase(Phase::kDataWait);
    method_.fetch({step, index});
    options_.on_phase(Phase::kForward);
    const StepOutcome part = method_.forward({step, index});
    options_.on_phase(Phase::kBackward);
    const auto loss = weight == 1 ? part.total : part.total * weight;
    const bool reduce = reduction == Reduction::kMean && index + 1 == count;
    reduce ? reducer_.backward(loss) : reducer_.accumulate(loss);
    options_.on_phase(Phase::kUpdate);
    outcome.add(part, count);
  }
  return outcome;
}

// In half precision a step that is not finite is part of finding the loss's scale.
void TrainingStep::check_may_skip(std::int64_t step,
                                  double norm,
                                  const StepOutcome& outcome) const {
  const auto& scaler = optimizer.scaler;
  if (scaler.on() && scaler.skipped() + 1 < LossScaler::kMostSkipped) return;
  stop_not_finite(host_ranks_, step + 1, norm, outcome, scaler.skipped());
}

TrainingStep::Options step_options(const TrainOptions& options) {
  TrainingStep::Options step{.optimizer = options.optimizer,
                             .reducer = options.reducer,
                             .micro_batches = options.accumulate,
                             .clip_norm = options.clip_norm,
                             .stop_signal = stop_signal};
  step.optimizer.scale_loss = options.precision == "fp16";
  return step;
}

}  // namespace stc::launcher
