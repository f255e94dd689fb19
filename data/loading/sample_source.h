// What a loader loads: how one sample of the stream becomes one row of a batch. Thread-safe,
// without state.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "data/images/image.h"
#include "data/loading/sampler.h"
#include "data/shards/shard_set.h"

namespace stc::data {

/// An entry that could not be used, and the error that says why, with its place in front.
struct BadEntry {
  std::int64_t entry = 0;
  std::string what;
};

/// What happened while one row was filled.
struct SampleReport {
  std::vector<BadEntry> bad;  ///< in the order in which they were met
  bool filled = false;        ///< false: too many in a row were bad
};

template <typename Batch>
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  virtual std::int64_t epoch_size() const = 0;  ///< samples of an epoch, >= 1
  /// All entries of the shards: what bad entries are a fraction of.
  virtual std::int64_t entries() const = 0;
  virtual Batch make_batch(std::int64_t rows) const = 0;  ///< memory only
  /// Writes row `row` of a batch; nothing else of it is touched. Throws only what is not a bad
  /// entry.
  virtual SampleReport fill(std::int64_t global_sample, Batch& batch, std::int64_t row) const = 0;
};

/// Tries the permuted sample of `place`, and after each one that is bad another one, drawn by
/// (seed, place, attempt). `use` writes the row from a sample of 0..epoch_size-1, or returns what
/// is bad about it.
using UseSample = std::function<std::optional<BadEntry>(std::int64_t sample)>;
SampleReport fill_with_replacement(std::uint64_t seed,
                                   std::int64_t epoch_size,
                                   const StreamPlace& place,
                                   const UseSample& use);

/// One entry, read and decoded; `bad` if it is damaged or smaller than 8 x 8.
struct DecodedEntry {
  Image image;
  std::optional<BadEntry> bad;
};

DecodedEntry read_entry(const ShardSet& shards, std::int64_t entry);

}  // namespace stc::data
