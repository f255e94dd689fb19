// One rank of a world of any size, without the others and without a data set: what a training step
// holds in memory and hands to collectives.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launcher/planning/scaling_model.h"
#include "launcher/training/train_options.h"

namespace stc::launcher {

/// Memory of one rank, in bytes.
struct RankMemory {
  std::int64_t parameters = 0;   ///< that the optimizer moves
  std::int64_t gradients = 0;    ///< views of the buckets
  std::int64_t optimizer = 0;    ///< its state
  std::int64_t frozen = 0;       ///< step 1's momentum encoder; step 2's teacher
  std::int64_t queue = 0;        ///< step 1's keys
  std::int64_t buffers = 0;      ///< batch norm's running statistics
  std::int64_t activations = 0;  ///< that a forward leaves for backward, the batch included
  std::int64_t peak = 0;         ///< of a step, above what stays between steps
};

/// What a rank hands to collectives in one step for one purpose.
struct Traffic {
  std::string purpose;
  std::string collective;
  std::int64_t calls = 0;
  std::int64_t bytes = 0;
};

struct DryRun {
  std::int64_t batch = 0;  ///< samples of this rank
  RankMemory memory;
  std::vector<Traffic> traffic;
  std::vector<Bucket> buckets;     ///< of gradients, in the order in which they are ready
  std::int64_t logged_values = 0;  ///< losses and the like of a step
};

/// Runs two steps of rank 0 on random images at this rank's share of train.batch_size, forward,
/// backward and update; the second one counts. Small worlds and batches only.
DryRun dry_run(const PretrainOptions& options, int world);
DryRun dry_run(const VideoTrainOptions& options, int world);

/// The same for a batch of any size: from runs of 2 and 4 samples per rank, since everything here
/// is a fixed part and a part for each sample. The larger run gives the buckets.
DryRun scaled_dry_run(const PretrainOptions& options, int world);
DryRun scaled_dry_run(const VideoTrainOptions& options, int world);

}  // namespace stc::launcher
