// What a training is given: its options, its place among the ranks, and its folder.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "dist/collective_log.h"
#include "dist/communicator.h"
#include "launcher/run_folder/run_folder.h"
#include "launcher/training/train_options.h"

namespace stc::launcher {

/// All that it refers to must outlive the training.
struct TrainingJob {
  std::string name;  ///< "pretrain" or "train"
  const TrainOptions& options;
  at::Device device;
  dist::Communicator& host_ranks;    ///< carry small CPU tensors
  dist::Communicator& device_ranks;  ///< carry the training's tensors; on the CPU the same object
  dist::CollectiveLog& collectives;  ///< of both
  RunFolder* folder;                 ///< on rank 0 alone
};

/// "stc 0.1.0 (git d87ce34), LibTorch 2.13.0", as checkpoints, metrics and summaries name it.
std::string build_name();

}  // namespace stc::launcher
