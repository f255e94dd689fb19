// What SWEEP.toml asks for (docs/evaluation.md): weights x benchmarks x settings.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "launcher/evaluation/evaluation.h"

namespace stc::launcher {

/// One combination of the values that [propagation] lists.
struct SweepSetting {
  std::vector<std::pair<std::string, std::string>> swept;  ///< key and value, where a key has many
  std::vector<std::string> overrides;  ///< all of them: "--propagation.key=value"
  std::string name() const;            ///< "stride8-top_k5"; "default" where nothing is swept
};

struct SweepPlan {
  std::string out;
  std::string sort = "score";  ///< column of the table; numbers: highest first
  int depth = 0;               ///< of random weights
  std::vector<std::string> weights;
  std::vector<BenchmarkSource> benchmarks;
  std::vector<SweepSetting> settings;
};

/// Throws stc::Error (kUsage) naming file, line and key.
SweepPlan read_sweep(const std::string& path);

}  // namespace stc::launcher
