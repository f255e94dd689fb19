// What packing met and did not take, by kind.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "monitoring/text.h"

namespace stc::data {

/// "3 WebP images, which are not supported (first: a/b.webp)": count, noun, reason, first.
struct PackRemark {
  std::string noun;    ///< of one; "s" makes the plural
  std::string reason;  ///< what follows it
  std::string first;   ///< path of the first one
  std::int64_t count = 0;

  std::string line() const {
    return text("{} {}{}{} (first: {})", count, noun, count == 1 ? "" : "s", reason, first);
  }
};

/// One remark per noun and reason, in the order in which they first came up.
class PackRemarks {
 public:
  void add(const std::string& noun, const std::string& reason, const std::string& path) {
    add({noun, reason, path, 1});
  }
  void add(const PackRemarks& others) {
    for (const auto& other : others.all_) add(other);
  }
  const std::vector<PackRemark>& all() const { return all_; }

 private:
  void add(const PackRemark& other) {
    const auto known = std::ranges::find_if(all_, [&](const PackRemark& remark) {
      return remark.noun == other.noun && remark.reason == other.reason;
    });
    if (known == all_.end()) return all_.push_back(other);
    known->count += other.count;
  }

  std::vector<PackRemark> all_;
};

}  // namespace stc::data
