#include "data/loading/sample_source.h"

#include <utility>

#include "data/random.h"
#include "monitoring/check.h"

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

}  // namespace stc::data
