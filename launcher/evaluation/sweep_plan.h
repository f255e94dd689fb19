// The content of SWEEP.toml (docs/evaluation.md): weights x benchmarks x settings.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "launcher/evaluation/evaluation.h"

namespace stc::launcher {

/// One combination of the values that [propagation] lists.
struct SweepCombination {
  std::vector<std::pair<std::string, std::string>> swept;  ///< key and value, of keys with several
  std::vector<std::string> overrides;  ///< all of them: "--propagation.key=value"
  std::string name() const;            ///< "stride8-top_k5"; "default" if nothing is swept
};

struct SweepPlan {
  std::string out;
  std::string sort = "score";         ///< column of the table; numbers: highest first
  int depth = 0;                      ///< of random weights
  std::string precision = "float32";  ///< of the command line, not of the file
  std::vector<std::string> weights;
  std::vector<BenchmarkSource> benchmarks;
  std::vector<SweepCombination> combinations;
};

/// Throws stc::Error (kUsage) naming file, line and key.
SweepPlan read_sweep(const std::string& path);

}  // namespace stc::launcher
