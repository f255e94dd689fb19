// The training loop: data, forward, backward with overlapped reduction, guard, update, record;
// checkpoints and exact resume.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "dist/collective_log.h"
#include "dist/communicator.h"
#include "dist/gradient_reducer.h"
#include "launcher/run_folder/checkpoint.h"
#include "launcher/run_folder/checkpoint_writer.h"
#include "launcher/run_folder/run_folder.h"
#include "launcher/training/method.h"
#include "launcher/training/optimizer.h"
#include "launcher/training/probe.h"
#include "launcher/training/progress.h"
#include "launcher/training/straggler_watch.h"
#include "launcher/training/train_options.h"
#include "monitoring/metrics.h"

namespace stc::launcher {

/// One run. `control` carries small CPU tensors, `world` the training's (the same object on the
/// CPU); `folder` is there on rank 0 alone. All must outlive the trainer.
class Trainer {
 public:
  struct Setting {
    std::string name;  ///< "pretrain" or "train"
    const TrainOptions& options;
    dist::Communicator& control;
    dist::Communicator& world;
    dist::CollectiveLog& log;  ///< of both
    RunFolder* folder;
  };
  Trainer(const Setting& setting, Method& method);

  /// Restores the newest checkpoint, trains to the end or to a stop signal, saves. Returns the exit
  /// code: 0, or 128 + signal. Throws stc::Error on all ranks together where a loss or the gradient
  /// is not finite, where the ranks no longer hold the same weights, where the finished weights
  /// cannot be written, or where a stop could not be saved.
  int run();

 private:
  struct Timing {
    double seconds = 0, data_wait_seconds = 0, first_arrival_seconds = 0;
  };
  void restore();
  int train_one_step();
  StepOutcome compute_gradients();
  void record(const StepOutcome& outcome, double rate, double norm, const Timing& timing);
  double arrival_lag(const Timing& timing);
  bool probe_is_due() const;
  void probe();
  bool save_is_due() const;
  void save();
  Checkpoint checkpoint() const;
  int stop(int signal);
  void finish();
  void write_results();
  void skip_or_stop(double norm, const StepOutcome& outcome);
  void publish_metrics();

  Setting setting_;
  Method& method_;
  Optimizer optimizer_;
  dist::GradientReducer reducer_;
  std::unique_ptr<CheckpointStore> checkpoints_;  // rank 0
  monitoring::Metrics metrics_;
  std::unique_ptr<CheckpointWriter> writer_;  // rank 0
  StragglerWatch stragglers_;
  std::unique_ptr<Progress> progress_;
  std::unique_ptr<Probe> probe_;  // where one is asked for
  std::int64_t step_ = 0;         // steps done
  std::chrono::steady_clock::time_point saved_at_;
};

}  // namespace stc::launcher
