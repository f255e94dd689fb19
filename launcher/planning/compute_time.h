// How long one GPU computes a step without communication, from numbers that were published or
// measured; docs/plan.md says which.
#pragma once

#include <cstdint>
#include <string>

namespace stc::launcher {

struct ComputeTime {
  double seconds = 0;  ///< 0: unknown, nothing is predicted
  std::string source;  ///< where the number comes from, or how to give one
};

struct PlannedStep {
  std::string method;  ///< "pretrain" or "train"
  std::int64_t depth = 18, size = 224;
  std::int64_t batch = 0;  ///< samples of one rank
  std::string precision = "float32";
};

/// `gpu`: a100, v100, h100 or h200. Throws stc::Error (kUsage) for another.
ComputeTime compute_time(const std::string& gpu, const PlannedStep& step);

/// Bus bandwidth of a ring inside one node of 8 such GPUs, in bytes per second.
double bandwidth_within_node(const std::string& gpu);

}  // namespace stc::launcher
