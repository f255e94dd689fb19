// What `stc plan` found, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "launcher/planning/dry_run.h"
#include "launcher/planning/scaling_model.h"

namespace stc::launcher {

/// Of one rank's step without communication.
struct ComputeTime {
  double seconds = 0;  ///< 0: not known, nothing is predicted
  std::string source;  ///< where the number comes from, or how to give one
};

struct Prediction {
  std::string fabric;
  int ranks = 1;
  double seconds = 0;
  double efficiency = 0;  ///< compute / step
};

struct Plan {
  std::string method;  ///< "pretrain" or "train"
  std::int64_t depth = 18, size = 224;
  std::vector<int> worlds;  ///< the dry run is one of the first
  std::int64_t log_every = 1;
  DryRun run;
  ComputeTime compute;
  std::vector<Prediction> predictions;
};

/// One for each fabric and world.
std::vector<Prediction> predict(const Plan& plan, const std::vector<Fabric>& fabrics);

/// Of float32 images, that a rank receives where all ranks gather all images.
std::int64_t reference_gather_bytes(const Plan& plan, int ranks);

std::string plan_text(const Plan& plan);
std::string plan_json(const Plan& plan);

}  // namespace stc::launcher
