// The training loop: steps, validation, checkpoints and exact resume.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "dist/collective_log.h"
#include "dist/communicator.h"
#include "launcher/run_folder/checkpoint.h"
#include "launcher/run_folder/checkpoint_writer.h"
#include "launcher/run_folder/run_folder.h"
#include "launcher/training/requests.h"
#include "launcher/training/step_recorder.h"
#include "launcher/training/step_watch.h"
#include "launcher/training/train_options.h"
#include "launcher/training/training_step.h"
#include "launcher/training/validation.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {

/// What a training is given: its options, its place among the ranks, and its folder. All that it
/// refers to must outlive the training.
struct TrainingJob {
  std::string name;  ///< "pretrain" or "train"
  const TrainOptions& options;
  at::Device device;
  dist::Communicator& host_ranks;    ///< carry small CPU tensors
  dist::Communicator& device_ranks;  ///< carry the training's tensors; on the CPU the same object
  dist::CollectiveLog& collectives;  ///< of both
  RunFolder* folder;                 ///< on rank 0 alone
  /// A step's numbers are read when the next step has been queued.
  bool reads_late = !device.is_cpu();
};

class Trainer {
 public:
  /// Both must outlive the trainer.
  Trainer(const TrainingJob& job, TrainingMethod& method);

  /// Restores the newest checkpoint, trains to the end or to a stop signal, saves. Returns the exit
  /// code: 0, or 128 + signal. Throws stc::Error on all ranks together when a loss or the gradient
  /// is not finite, when the ranks no longer hold the same weights, when the finished weights
  /// cannot be written, or when a stop could not be saved.
  int run();

 private:
  void restore();
  std::int64_t load_newest_checkpoint();
  void share_with_all_ranks();
  /// A step that has begun, and what all ranks are to do after it.
  struct Begun {
    TrainingStep::Launched step;
    PendingRequests requests;
    StepRecorder::Begun record;
  };
  Begun begin_step();
  Requests end_step(const Begun& begun);
  bool work_is_due() const;
  bool validation_is_due() const;
  void validate();
  bool save_is_late() const;
  void save();
  Checkpoint checkpoint() const;
  int stop(int signal);
  void finish();
  void write_results();

  const TrainingJob& job_;
  TrainingMethod& method_;
  StepWatch watch_;
  TrainingStep training_step_;
  StepRecorder recorder_;
  std::unique_ptr<CheckpointStore> checkpoints_;  // rank 0
  std::unique_ptr<CheckpointWriter> writer_;      // rank 0
  std::unique_ptr<Validation> validation_;        // when asked for
  std::int64_t step_ = 0;                         // steps done, the one under way included
  Stopwatch since_save_;
};

}  // namespace stc::launcher
