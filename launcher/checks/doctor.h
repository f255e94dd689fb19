// What `stc doctor` looks at, and what it says of it.
#pragma once

#include <string>
#include <vector>

namespace stc::launcher {

enum class Verdict { kFine, kWarning, kBroken };

struct Finding {
  std::string topic;
  std::string seen = "";
  Verdict verdict = Verdict::kFine;
  std::string advice = "";  ///< what to do; also where nothing is wrong, if a user should know it
};

using Findings = std::vector<Finding>;

/// Memory, shared memory, limits, the clock, and this folder's and the data's file systems.
void look_at_host(const std::string& data_folder, Findings& findings);

}  // namespace stc::launcher
