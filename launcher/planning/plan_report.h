// What `stc plan` found, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "launcher/planning/compute_time.h"
#include "launcher/planning/dry_run.h"
#include "launcher/planning/scaling_model.h"

namespace stc::launcher {

struct Prediction {
  std::string fabric;
  int ranks = 1;
  double seconds = 0;
  double efficiency = 0;  ///< compute / step
};

struct ScalingPlan {
  std::string method;  ///< "pretrain" or "train"
  std::int64_t depth = 18, size = 224;
  std::vector<int> worlds;  ///< the dry run is that of the first
  std::int64_t log_every = 1;
  DryRun run;
  ComputeTime compute;
  std::vector<Prediction> predictions;
};

/// One for each fabric and world.
std::vector<Prediction> predict(const ScalingPlan& plan, const std::vector<Fabric>& fabrics);

std::string plan_text(const ScalingPlan& plan);
std::string plan_json(const ScalingPlan& plan);

}  // namespace stc::launcher
