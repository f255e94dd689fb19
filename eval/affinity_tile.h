// The inner loop of label propagation: a few query cells against a run of key cells.
#pragma once

#include <cstdint>

namespace stc::eval {

/// A register-blocked product of the widest form that this processor has. Cells of a row lie side
/// by side, channels `stride` elements apart.
template <typename T>
struct AffinityTile {
  int queries = 0;  ///< cells of the query row that one call takes
  int keys = 0;     ///< cells of the key row that one call takes
  /// scores[q * score_stride + k] = sum over c of queries[c * stride + q] * keys[c * stride + k].
  void (*product)(const T* queries,
                  const T* keys,
                  std::int64_t channels,
                  std::int64_t stride,
                  T* scores,
                  std::int64_t score_stride) = nullptr;
};

template <typename T>
AffinityTile<T> affinity_tile();  ///< float, double

/// A call may read this many elements past the end of a row; what it makes of them is ignored.
inline constexpr std::int64_t kTileSlack = 64;

}  // namespace stc::eval
