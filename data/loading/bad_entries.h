// Counts damaged entries: each is logged once, and too many end the run.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "data/loading/sample_source.h"

namespace stc::data {

class BadEntries {
 public:
  /// At least one bad entry is allowed unless max_fraction is 0.
  BadEntries(std::int64_t entries, double max_fraction);

  /// Throws stc::Error (kBadData) naming the count and the first places once there are more than
  /// allowed, or if the sample could not be filled.
  void add(const SampleReport& report);
  std::int64_t count() const { return static_cast<std::int64_t>(seen_.size()); }

 private:
  std::string first_ones() const;

  std::int64_t entries_;
  double max_fraction_;
  std::set<std::int64_t> seen_;
  std::vector<std::string> first_;  ///< what is wrong with the first few
};

}  // namespace stc::data
