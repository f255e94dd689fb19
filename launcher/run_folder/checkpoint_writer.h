// Saves a run's state while training goes on: a copy, and a thread that writes it.
#pragma once

#include <cstdint>
#include <functional>
#include <future>
#include <string>

#include "launcher/run_folder/checkpoint.h"
#include "monitoring/metrics.h"

namespace stc::launcher {

/// A save that fails is said loudly (log, metrics) and is no error: training goes on, and the
/// checkpoints before it stay. All calls come from one thread. The copy is kept between saves, so
/// the state takes its size once more in host memory (pinned where the state is on CUDA).
class CheckpointWriter {
 public:
  /// While this object lives, the store is its own.
  CheckpointWriter(CheckpointStore& store, monitoring::Metrics& metrics);
  ~CheckpointWriter();  ///< waits for the save under way
  CheckpointWriter(const CheckpointWriter&) = delete;
  CheckpointWriter& operator=(const CheckpointWriter&) = delete;

  /// Returns once the state is copied; it may change then. An earlier save that is still being
  /// written is waited for first. `state` may throw: the save has failed.
  void save(std::int64_t step, const std::function<Checkpoint()>& state);

  void poll();  ///< tells how the last save ended once it has; cheap

  /// Waits for the last save. Empty where it is whole on the disk; else why it is not.
  std::string wait();

 private:
  struct Outcome {
    std::string failure;  // empty: written
    double seconds = 0;
    std::uint64_t bytes = 0;
  };
  Outcome write();
  void wait_before(std::int64_t step);
  void tell(const Outcome& outcome);

  CheckpointStore& store_;
  monitoring::Metrics& metrics_;
  Checkpoint copy_;               // the writing thread reads it while `writing_` is valid
  std::future<Outcome> writing_;  // carries how it ended, so that no error is lost
  std::string failure_;           // of the last save
};

}  // namespace stc::launcher
