// What `stc doctor` reports: the findings themselves, and those about the host.
#pragma once

#include <string>
#include <vector>

namespace stc::launcher {

enum class Verdict { kFine, kWarning, kBroken };

struct Finding {
  std::string topic;
  std::string seen = "";
  Verdict verdict = Verdict::kFine;
  std::string advice = "";  ///< what to do; also when nothing is wrong but a user should know

  void warn(const std::string& what_to_do) { *this = {topic, seen, Verdict::kWarning, what_to_do}; }
  void fail(const std::string& what_to_do) { *this = {topic, seen, Verdict::kBroken, what_to_do}; }
};

using Findings = std::vector<Finding>;

/// Memory, shared memory, limits, the clock, and the file systems of the working folder and, unless
/// `data_folder` is empty, of the data.
Findings host_findings(const std::string& data_folder);

}  // namespace stc::launcher
