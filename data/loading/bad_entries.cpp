#include "data/loading/bad_entries.h"

#include <algorithm>

#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::data {
namespace {

constexpr std::size_t kNamed = 3;

}  // namespace

BadEntries::BadEntries(std::int64_t entries, double max_fraction)
    : entries_(entries), max_fraction_(max_fraction) {}

void BadEntries::add(const SampleReport& report) {
  for (const BadEntry& bad : report.bad) {
    if (!seen_.insert(bad.entry).second) continue;
    log::warning("{}; another entry takes its place", bad.what);
    if (first_.size() < kNamed) first_.push_back(bad.what);
  }
  // In a set of a few dozen one bad entry is above any sensible fraction; it is replaced all the
  // same.
  const double share = max_fraction_ * static_cast<double>(entries_);
  const auto allowed =
      max_fraction_ > 0 ? std::max<std::int64_t>(1, static_cast<std::int64_t>(share)) : 0;
  STC_CHECK_DATA(
      count() <= allowed,
      "{} of {} entries are bad so far; at most {} are allowed (max_bad_fraction is {}). The "
      "first: {}. `stc verify` lists all with a wrong checksum; pack the data again.",
      count(),
      entries_,
      allowed,
      max_fraction_,
      first_ones());
  STC_CHECK_DATA(report.filled,
                 "{} entries drawn in a row are bad; a good one was expected among them. The "
                 "first: {}. Pack the data again.",
                 report.bad.size(),
                 first_ones());
}

std::string BadEntries::first_ones() const {
  std::string all;
  for (const std::string& what : first_) all += (all.empty() ? "" : " | ") + what;
  return all;
}

}  // namespace stc::data
