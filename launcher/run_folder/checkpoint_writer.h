// Saves a run's state while training continues: a copy, and a thread that writes it.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <string>

#include "launcher/run_folder/checkpoint.h"
#include "monitoring/metrics.h"

namespace stc::launcher {

/// A save that fails is reported (log, metrics) and is not an error: training continues, and the
/// earlier checkpoints stay. All calls come from one thread. The copy is kept between saves, so the
/// state takes its size once more in host memory (pinned if the state is on CUDA).
class CheckpointWriter {
 public:
  /// While this object lives, nobody else uses the store.
  CheckpointWriter(CheckpointStore& store, monitoring::Metrics& metrics);
  ~CheckpointWriter();  ///< waits for the current save
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Returns when the state is copied; it may change then. An earlier save that is still being
  /// written is waited for first. If `state` throws, the save has failed.
  void save(std::int64_t step, const std::function<Checkpoint()>& state);

  void poll();  ///< reports the last save if it has ended; cheap

  /// Waits for the last save. Empty if it is complete on the disk; else why it is not.
  std::string wait();

 private:
  struct Outcome {
    std::string failure;  // empty: written
    double seconds = 0;
    std::uint64_t bytes = 0;
  };
  Outcome write();
  void wait_before(std::int64_t step);
  void report(const Outcome& outcome);

  CheckpointStore& store_;
  monitoring::Metrics& metrics_;
  Checkpoint copy_;               // the writing thread reads it while `writing_` is valid
  std::future<Outcome> writing_;  // carries how it ended, so that no error is lost
  std::string failure_;           // of the last save
};

}  // namespace stc::launcher
