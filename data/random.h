// Counter-based randomness (Philox4x32-10): a draw is a function of its key, so threads and ranks
// change nothing.
#pragma once

#include <array>
#include <cstdint>

namespace stc::data {

/// Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Ten rounds.
std::array<std::uint32_t, 4> philox4x32(std::array<std::uint32_t, 4> counter,
                                        std::array<std::uint32_t, 2> key);

/// What a draw is for. Two purposes never share numbers; the values are part of the stream, so none
/// is reused.
enum class Purpose : std::uint8_t {
  kOrder = 0,
  kReplacement = 1,
  kQueryView = 2,
  kKeyView = 3,
  kClipStart = 4,
  kClipView = 5,
  kSyntheticClip = 6,
  kDroppedChannel = 7,
  kKeyShuffle = 8,
};

/// The numbers of one (seed, purpose, epoch, index), one after the other. Cheap to make; no state
/// beyond the key.
class CounterRandom {
 public:
  /// epoch < 2^32, index < 2^56.
  CounterRandom(std::uint64_t seed, Purpose purpose, std::uint64_t epoch, std::uint64_t index);

  std::uint64_t bits();                                         ///< 64 random bits
  double uniform();                                             ///< [0, 1), 53 bits
  double uniform(double low, double high);                      ///< [low, high)
  bool chance(double probability);                              ///< true with this probability
  std::int64_t integer(std::int64_t first, std::int64_t last);  ///< first..last, both included

 private:
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 4> block_{};
  int unused_ = 0;  ///< words of block_ not yet given out
};

}  // namespace stc::data
