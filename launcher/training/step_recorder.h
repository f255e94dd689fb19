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

  /// What is known of a step when it has been queued.
  struct Begun {
    SteadyTime since;
    double learning_rate = 0;
    Arrival arrival;
  };
  void begin_step();
  /// Of the step that begin_step() began.
  Begun begun(double learning_rate, double data_wait_seconds) const;
  /// When its numbers are there, which may be after the next one has begun. A collective.
  void end_step(const Begun& begun, const TrainingStep::Result& result);
  void add(std::int64_t step, const ValidationResult& result);
  void finish() { progress_.reset(); }  ///< leaves the bar's last line

  monitoring::Metrics& metrics() { return metrics_; }

 private:
  using Step = monitoring::Metrics::Step;
  struct Means {
    std::map<std::string, double> losses, health;
  };
  Means mean_over_ranks(const TrainingStep::Result& result) const;
  void record_arrival(const Arrival& own, double step_seconds);
  Arrival arrival_on_device(const Begun& begun) const;
  void record_skipped(const TrainingStep::Result& result);
  void append_line(const Step& step, const TrainingStep::Result& result);

  const TrainingJob& job_;
  const TrainingMethod& method_;
  const StepWatch& watch_;
  monitoring::Metrics metrics_;
  StragglerWatch stragglers_;
  ThroughputMeter throughput_;
  std::unique_ptr<Progress> progress_;
  SteadyTime begin_ = steady_now(), end_ = begin_;  // of the last step that began, and that ended
  double last_data_wait_seconds_ = 0;               // of the step that ended last
};

}  // namespace stc::launcher
