#include "eval/affinity_tile.h"

namespace stc::eval {
namespace {

// Two vectors of keys against kQueries broadcast queries: the sums stay in registers, and each
// loaded vector is used kQueries times. Inlined into one function for each instruction set.
template <typename T, int kBytes, int kQueries>
[[gnu::always_inline]] inline void product(const T* queries,
                                           const T* keys,
                                           std::int64_t channels,
                                           std::int64_t stride,
                                           T* scores,
                                           std::int64_t score_stride) {
  typedef T Vector __attribute__((vector_size(kBytes)));
  typedef T Unaligned __attribute__((vector_size(kBytes), aligned(sizeof(T)), may_alias));
  constexpr int kLanes = kBytes / sizeof(T);
  Vector low[kQueries] = {}, high[kQueries] = {};
  for (std::int64_t c = 0; c < channels; ++c, queries += stride, keys += stride) {
    const Vector first = *reinterpret_cast<const Unaligned*>(keys);
    const Vector second = *reinterpret_cast<const Unaligned*>(keys + kLanes);
#pragma GCC unroll 16
    for (int q = 0; q < kQueries; ++q) {
      low[q] += first * queries[q];
      high[q] += second * queries[q];
    }
  }
#pragma GCC unroll 16
  for (int q = 0; q < kQueries; ++q) {
    *reinterpret_cast<Unaligned*>(scores + q * score_stride) = low[q];
    *reinterpret_cast<Unaligned*>(scores + q * score_stride + kLanes) = high[q];
  }
}

#define STC_TILE_ARGUMENTS                                                                \
  const T *queries, const T *keys, std::int64_t channels, std::int64_t stride, T *scores, \
      std::int64_t score_stride

// 16 registers of 16 bytes.
template <typename T>
void portable_product(STC_TILE_ARGUMENTS) {
  product<T, 16, 4>(queries, keys, channels, stride, scores, score_stride);
}

#ifdef __x86_64__
// 16 registers of 32 bytes: 12 sums, 2 vectors of keys, 2 to broadcast queries into.
template <typename T>
[[gnu::target("avx2,fma")]] void avx2_product(STC_TILE_ARGUMENTS) {
  product<T, 32, 6>(queries, keys, channels, stride, scores, score_stride);
}
// 32 registers of 64 bytes; 8 queries and a half window of 12 fill the 32 keys exactly.
template <typename T>
[[gnu::target("avx512f,fma")]] void avx512_product(STC_TILE_ARGUMENTS) {
  product<T, 64, 8>(queries, keys, channels, stride, scores, score_stride);
}
#endif

#undef STC_TILE_ARGUMENTS

}  // namespace

template <typename T>
AffinityTile<T> affinity_tile() {
  constexpr int kSize = sizeof(T);
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return {8, 2 * 64 / kSize, avx512_product<T>};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {6, 2 * 32 / kSize, avx2_product<T>};
#endif
  return {4, 2 * 16 / kSize, portable_product<T>};
}

template AffinityTile<float> affinity_tile();
template AffinityTile<double> affinity_tile();

}  // namespace stc::eval
