// The order of samples as a function of (seed, epoch): no list, no state, the same for every world
// size.
#pragma once

#include <cstdint>

namespace stc::data {

/// A permutation of 0..n-1 in O(1) memory: a Feistel network over the next power of four, walked
/// until it lands below n.
class Permutation {
 public:
  Permutation(std::uint64_t seed, std::uint64_t epoch, std::int64_t n);  ///< n >= 1
  std::int64_t operator()(std::int64_t index) const;                     ///< 0 <= index < n

 private:
  std::uint64_t encrypt(std::uint64_t value) const;

  std::uint64_t seed_;
  std::uint64_t epoch_;
  std::int64_t n_;
  int half_bits_;
};

/// One place in the endless stream. Global sample g belongs to epoch g div N and has index g mod N.
struct StreamPlace {
  std::int64_t epoch = 0;
  std::int64_t index = 0;  ///< place within the epoch, before the permutation
};

StreamPlace stream_place(std::int64_t global_sample, std::int64_t epoch_size);

/// What this rank trains on at one step. Global samples [step * batch_size, (step + 1) *
/// batch_size) are cut into `world` equal runs; this rank holds the rank-th.
struct SampleWindow {
  std::int64_t batch_size = 0;  ///< global; a multiple of world
  int rank = 0;
  int world = 1;
  std::uint64_t seed = 0;  ///< decides the order of the samples and all that is random in them
};

/// First global sample and number of samples of this rank at one step.
struct SampleRun {
  std::int64_t first = 0;
  std::int64_t count = 0;
};

SampleRun sample_run(const SampleWindow& window, std::int64_t step);

}  // namespace stc::data
