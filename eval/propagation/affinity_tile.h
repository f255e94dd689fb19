// The inner loop of label propagation: a few query cells against a run of key cells.
#pragma once

#include <cstdint>

namespace stc::eval {

/// Cells of a row lie in panels: kPanel cells side by side, channel after channel, [C][kPanel].
inline constexpr std::int64_t kPanel = 8;

template <typename T>
struct AffinityTile {
  /// One panel of queries against `panels` panels of keys, which follow each other in memory:
  /// scores[q * score_stride + p * kPanel + k] = sum over c of queries[c][q] * keys[p][c][k].
  void (*product)(const T* queries,
                  const T* keys,
                  std::int64_t channels,
                  std::int64_t panels,
                  T* scores,
                  std::int64_t score_stride);
  /// Bit q is set if one of the scores of query q is above bars[q].
  unsigned (*above)(const T* scores, std::int64_t score_stride, std::int64_t panels, const T* bars);
};

/// The widest form that this processor has.
template <typename T>
AffinityTile<T> affinity_tile();  ///< float, double

}  // namespace stc::eval
