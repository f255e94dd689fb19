#include "data/loading/sample_source.h"

#include <algorithm>
#include <utility>

#include "data/random.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::data {

SampleReport fill_with_replacement(std::uint64_t seed,
                                   std::int64_t epoch_size,
                                   const StreamPlace& place,
                                   const UseSample& use) {
  // With half of the data set bad, a sample fails this often in a row once in 10^30.
  constexpr int kAttempts = 100;
  const Permutation order(seed, place.epoch, epoch_size);
  CounterRandom replacements(seed, Purpose::kReplacement, place.epoch, place.index);
  SampleReport report;
  std::int64_t sample = order(place.index);
  while (!report.filled && report.bad.size() < kAttempts) {
    if (auto bad = use(sample)) {
      report.bad.push_back(std::move(*bad));
      sample = replacements.integer(0, epoch_size - 1);
    } else {
      report.filled = true;
    }
  }
  return report;
}

DecodedEntry read_entry(const ShardSet& shards, std::int64_t entry) {
  constexpr int kMinSide = 8;  // smaller ones are icons and damage, not photographs
  DecodedEntry result;
  try {
    result.image = decode_image(shards.read(entry), shards.place(entry));
  } catch (const Error& error) {
    if (error.exit() != Exit::kBadData) throw;
    result.bad = BadEntry{entry, error.what()};
    return result;
  }
  const Image& image = result.image;
  if (image.width < kMinSide || image.height < kMinSide)
    result.bad = BadEntry{entry,
                          text("{}: the image is {} x {} pixels; at least 8 x 8 are expected",
                               shards.place(entry),
                               image.width,
                               image.height)};
  return result;
}

BadEntries::BadEntries(std::int64_t entries, double max_fraction)
    : entries_(entries), max_fraction_(max_fraction) {}

void BadEntries::add(const SampleReport& report) {
  for (const BadEntry& bad : report.bad) {
    if (!seen_.insert(bad.entry).second) continue;
    log::warning("{}; another entry takes its place", bad.what);
    constexpr std::size_t kNamed = 3;
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
