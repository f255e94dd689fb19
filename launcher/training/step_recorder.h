// What is reported of each step: Prometheus metrics, metrics.jsonl, the progress bar, and the log
// when one rank makes the others wait.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "launcher/training/step_watch.h"
#include "launcher/training/straggler_watch.h"
#include "launcher/training/throughput.h"
#include "launcher/training/training_step.h"
#include "launcher/training/validation.h"
#include "monitoring/metrics.h"
#include "monitoring/progress.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {

struct TrainingJob;

class StepRecorder {
 public:
  /// All must outlive the recorder.
  StepRecorder(const TrainingJob& job, const TrainingMethod& method, const StepWatch& watch);

  /// Publishes where the metrics are served and draws the bar from `first_step` on. A collective.
  void start(std::int64_t first_step);

  void begin_step();
  /// `step`: how many are done, this one included. A collective.
  void end_step(std::int64_t step,
                double learning_rate,
                const TrainingStep::Result& result,
                const LossScaler& scaler);
  void add(std::int64_t step, const ValidationResult& result);
  void finish() { progress_.reset(); }  ///< leaves the bar's last line

  monitoring::Metrics& metrics() { return metrics_; }

 private:
  using Step = monitoring::Metrics::Step;
  struct Means {
    std::map<std::string, double> losses, health;
  };
  Means mean_over_ranks(const StepOutcome& outcome) const;
  double arrival_lag(const Arrival& own, double step_seconds);
  void append_line(const Step& step, const StepOutcome& outcome, const LossScaler& scaler);

  const TrainingJob& job_;
  const TrainingMethod& method_;
  const StepWatch& watch_;
  monitoring::Metrics metrics_;
  StragglerWatch stragglers_;
  ThroughputMeter throughput_;
  std::unique_ptr<Progress> progress_;
  Stopwatch step_clock_;
};

}  // namespace stc::launcher
