#include "launcher/config/nearest_name.h"

#include <algorithm>
#include <limits>

namespace stc::launcher {
namespace {

std::size_t edits(const std::string& a, const std::string& b) {
  std::vector<std::vector<std::size_t>> table(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) table[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) table[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = table[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      table[i][j] = std::min({table[i - 1][j] + 1, table[i][j - 1] + 1, replaced});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) table[i][j] = std::min(table[i][j], table[i - 2][j - 2] + 1);
    }
  }
  return table[a.size()][b.size()];
}

std::string last_part(const std::string& name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

std::string nearest_name(const std::string& name, const std::vector<std::string>& known) {
  std::string nearest;
  std::size_t fewest = std::numeric_limits<std::size_t>::max();
  for (const std::string& candidate : known) {
    std::size_t distance = edits(name, candidate);
    if (candidate.find('.') != std::string::npos) {
      distance = std::min(distance, 1 + edits(last_part(name), last_part(candidate)));
    }
    if (distance < fewest) {
      fewest = distance;
      nearest = candidate;
    }
  }
  // What shares less than half of its letters was not meant.
  const auto letters = std::ranges::count_if(name, [](char c) { return c != '-' && c != '.'; });
  return fewest <= std::max<std::size_t>(1, static_cast<std::size_t>(letters) / 2) ? nearest : "";
}

}  // namespace stc::launcher
