// What a loader loads: how one sample of the stream becomes one row of a batch. Private to data.
#pragma once

#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "data/loading/loader.h"

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

/// Thread-safe, without state.
template <typename Batch>
class SampleSource {
 public:
  virtual ~SampleSource() = default;
  virtual std::int64_t epoch_size() const = 0;  ///< samples of an epoch, >= 1
  /// All entries of the shards: what bad entries are a fraction of.
  virtual std::int64_t entries() const = 0;
  /// Memory only; `pinned`: page-locked, which needs a GPU.
  virtual Batch make_batch(std::int64_t rows, bool pinned) const = 0;
  /// Writes row `row` of a batch; nothing else of it is touched. Throws only what is not a bad
  /// entry.
  virtual SampleReport fill(std::int64_t global_sample, Batch& batch, std::int64_t row) const = 0;
};

/// Counts damaged entries: each is logged once, and too many end the run.
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

/// Two views of each image, or a clip of two frames of each video, of a set of shards. Throw
/// stc::Error: kUsage for options out of range, kBadData for shards of the other kind or too few
/// samples.
std::unique_ptr<SampleSource<ImageBatch>> make_image_source(std::shared_ptr<const ShardSet> shards,
                                                            std::uint64_t seed,
                                                            const ImageOptions& options);
std::unique_ptr<SampleSource<ClipBatch>> make_clip_source(std::shared_ptr<const ShardSet> shards,
                                                          std::uint64_t seed,
                                                          const ClipOptions& options);

}  // namespace stc::data
