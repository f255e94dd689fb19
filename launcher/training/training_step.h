// One step of a training, top to bottom: data, forward, backward with overlapped reduction, guard,
// update. The trainer, the dry run and the benches all run this one.
#pragma once

#include <cstdint>
#include <functional>

#include "dist/communicator.h"
#include "dist/gradient_reducer.h"
#include "launcher/training/method.h"
#include "launcher/training/optimizer.h"
#include "monitoring/activity.h"

namespace stc::launcher {

class TrainingStep {
 public:
  struct Options {
    OptimizerOptions optimizer{};
    dist::ReducerOptions reducer{};
    std::int64_t micro_batches = 1;
    double clip_norm = 0;  ///< largest norm of a gradient; 0: unlimited
    /// The signal that asks this rank to stop, or 0; called once per step, after backward.
    std::function<int()> stop_signal = [] { return 0; };
    /// Called when the step enters a phase.
    std::function<void(activity::Phase)> on_phase = activity::enter;
  };

  struct Result {
    StepOutcome outcome;
    double gradient_norm = 0;  ///< of the mean gradient, before clipping; equal on all ranks
    bool updated = true;       ///< false: skipped on all ranks, not finite in half precision
    double loss_scale = 1;     ///< that this step's loss was multiplied by
    int stop_signal = 0;       ///< that any rank saw, equal on all ranks; 0: none
  };

  /// `host_ranks` carry the guard's few numbers, `device_ranks` the gradients. All must outlive the
  /// step.
  TrainingStep(TrainingMethod& method,
               const Options& options,
               dist::Communicator& host_ranks,
               dist::Communicator& device_ranks);

  /// `step` counts from 0. Throws stc::Error on all ranks together when a loss or the gradient is
  /// not finite (in half precision after LossScaler::kMostSkipped skipped steps); the parameters
  /// are then as they were before.
  Result run(std::int64_t step, double learning_rate);

  /// What run() begins with: the mean gradient of all ranks, or (to measure what the reduction
  /// costs) this rank's own, with nothing sent.
  enum class Reduction { kMean, kNone };
  StepOutcome compute_gradients(std::int64_t step, Reduction reduction = Reduction::kMean);

  Optimizer optimizer;

 private:
  void check_may_skip(std::int64_t step, double norm, const StepOutcome& outcome) const;

  TrainingMethod& method_;
  Options options_;
  dist::Communicator& host_ranks_;
  dist::GradientReducer reducer_;
};

struct TrainOptions;
TrainingStep::Options step_options(const TrainOptions& options);

}  // namespace stc::launcher
