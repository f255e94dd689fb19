// One step of a training, top to bottom: data, forward, backward with overlapped reduction, update;
// and its numbers, which the host may read while the next step is under way. The trainer, the dry
// run and the benches all run this one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "dist/communicator.h"
#include "dist/gradient_reducer.h"
#include "launcher/training/device_copies.h"
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
    /// Called when the step enters a phase.
    std::function<void(activity::Phase)> on_phase = activity::enter;
  };

  /// A step's numbers, on the host.
  struct Result {
    using Numbers = std::vector<std::pair<std::string, double>>;

    std::int64_t step = 0;       ///< counted from 0
    Numbers losses{}, health{};  ///< of this rank; the mean over ranks is the global value
    std::vector<std::int64_t> samples{};
    double data_wait_seconds = 0;
    double gradient_norm = 0;  ///< of the mean gradient, before clipping; equal on all ranks
    bool updated = true;       ///< false: skipped on all ranks, not finite in half precision
    double loss_scale = 1;     ///< that this step's loss was multiplied by
  };

  /// A step that has begun: on a GPU its work is queued and its numbers are on their way.
  struct Launched {
    std::int64_t step = 0;
    StepOutcome outcome;
    Download numbers;
  };

  /// `host_ranks` carry the report of a step that is not finite, `device_ranks` the gradients. All
  /// must outlive the step.
  TrainingStep(TrainingMethod& method,
               const Options& options,
               dist::Communicator& host_ranks,
               dist::Communicator& device_ranks);

  /// `step` counts from 0. A step whose loss or gradient is not finite leaves the parameters as
  /// they were; so do those launched after it, unless losses are scaled.
  Launched launch(std::int64_t step, double learning_rate);
  /// Waits for the numbers: the one time in a step that the host waits for the device. Throws
  /// stc::Error on all ranks together when they are not finite (in half precision after
  /// LossScaler::kMostSkipped skipped steps).
  Result finish(const Launched& launched);
  Result run(std::int64_t step, double rate) { return finish(launch(step, rate)); }

  /// What launch() begins with: the mean gradient of all ranks, or (to measure what the reduction
  /// costs) this rank's own, with nothing sent.
  enum class Reduction { kMean, kNone };
  StepOutcome compute_gradients(std::int64_t step, Reduction reduction = Reduction::kMean);

  Optimizer optimizer;

 private:
  Download numbers_of(const StepOutcome& outcome,
                      const at::Tensor& norm,
                      const at::Tensor& scale) const;

  TrainingMethod& method_;
  Options options_;
  dist::Communicator& host_ranks_;
  dist::GradientReducer reducer_;
};

struct TrainOptions;
TrainingStep::Options step_options(const TrainOptions& options);

}  // namespace stc::launcher
