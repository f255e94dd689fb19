#include "eval/propagation/affinity_tile.h"

#include <algorithm>

namespace stc::eval {
namespace {

// Channels that are summed up together, so that what they need (24 KB of float) stays in the
// first-level cache.
constexpr std::int64_t kBlockChannels = 256;

// A block of channels of one panel of queries and of the keys from a panel on.
template <typename T>
struct ChannelBlock {
  const T* queries;
  const T* keys;
  std::int64_t panel_size;  // elements from one panel of keys to the next
  std::int64_t channels;
  T* scores;
  std::int64_t score_stride;
  bool is_first;  // else it adds to the scores
};

template <typename T, int kBytes>
struct Simd {
  typedef T Vector __attribute__((vector_size(kBytes)));
  typedef T Unaligned __attribute__((vector_size(kBytes), aligned(alignof(T)), may_alias));
  static constexpr int kLanes = kBytes / sizeof(T);
};

// A vector of keys from `lane` on: a part of a panel, or two halves out of two panels. Through a
// pointer, since the ABI of a returned vector depends on the processor that is compiled for.
template <typename T, int kBytes>
[[gnu::always_inline]] inline void load(const T* keys,
                                        int lane,
                                        std::int64_t panel_size,
                                        typename Simd<T, kBytes>::Vector* vector) {
  const T* first = keys + lane / kPanel * panel_size + lane % kPanel;
  if constexpr (Simd<T, kBytes>::kLanes <= kPanel) {
    *vector = *reinterpret_cast<const typename Simd<T, kBytes>::Unaligned*>(first);
  } else {
    static_assert(Simd<T, kBytes>::kLanes == 2 * kPanel);
    using Panel = Simd<T, kBytes / 2>;
    const typename Panel::Vector low = *reinterpret_cast<const typename Panel::Unaligned*>(first),
                                 high = *reinterpret_cast<const typename Panel::Unaligned*>(
                                     first + panel_size);
    *vector =
        __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  }
}

// kVectors vectors of keys against kQueries broadcast queries: the sums stay in registers.
template <typename T, int kBytes, int kQueries, int kVectors>
[[gnu::always_inline]] inline void product(const ChannelBlock<T>& block) {
  using Vector = typename Simd<T, kBytes>::Vector;
  using Unaligned = typename Simd<T, kBytes>::Unaligned;
  constexpr int kLanes = Simd<T, kBytes>::kLanes;
  Vector sums[kQueries][kVectors] = {};
  const T* queries = block.queries;
  const T* keys = block.keys;
  for (std::int64_t c = 0; c < block.channels; ++c, queries += kPanel, keys += kPanel) {
    Vector key[kVectors];
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) load<T, kBytes>(keys, v * kLanes, block.panel_size, &key[v]);
#pragma GCC unroll 16
    for (int q = 0; q < kQueries; ++q) {
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) sums[q][v] += key[v] * queries[q];
    }
  }
#pragma GCC unroll 16
  for (int q = 0; q < kQueries; ++q) {
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      auto* out = reinterpret_cast<Unaligned*>(block.scores + q * block.score_stride + v * kLanes);
      *out = block.is_first ? sums[q][v] : *out + sums[q][v];
    }
  }
}

// All queries of a panel, kQueries at a time, against kPanels panels.
template <typename T, int kBytes, int kQueries, int kPanels>
[[gnu::always_inline]] inline void all_queries(ChannelBlock<T> block) {
  constexpr int kVectors = kPanels * kPanel * static_cast<int>(sizeof(T)) / kBytes;
  for (int q = 0; q < kPanel; q += kQueries) {
    product<T, kBytes, kQueries, kVectors>(block);
    block.queries += kQueries;
    block.scores += kQueries * block.score_stride;
  }
}

// kPanels panels at a time, the rest one by one.
template <typename T, int kBytes, int kQueries, int kPanels>
[[gnu::always_inline]] inline void products(const T* queries,
                                            const T* keys,
                                            std::int64_t channels,
                                            std::int64_t panels,
                                            T* scores,
                                            std::int64_t score_stride) {
  constexpr int kMinPanels = std::max<int>(1, kBytes / (kPanel * sizeof(T)));
  const auto panel_size = channels * kPanel;
  for (std::int64_t first = 0; first < channels; first += kBlockChannels) {
    ChannelBlock<T> block{queries + first * kPanel,
                          keys + first * kPanel,
                          panel_size,
                          std::min(kBlockChannels, channels - first),
                          scores,
                          score_stride,
                          first == 0};
    std::int64_t p = 0;
    for (; p + kPanels <= panels; p += kPanels) {
      all_queries<T, kBytes, kQueries, kPanels>(block);
      block.keys += kPanels * panel_size;
      block.scores += kPanels * kPanel;
    }
    for (; p < panels; ++p) {
      all_queries<T, kBytes / kMinPanels, kQueries, 1>(block);
      block.keys += panel_size;
      block.scores += kPanel;
    }
  }
}

template <typename T>
[[gnu::always_inline]] inline unsigned rows_above(const T* scores,
                                                  std::int64_t score_stride,
                                                  std::int64_t panels,
                                                  const T* bars) {
  unsigned rows = 0;
  for (int q = 0; q < kPanel; ++q, scores += score_stride) {
    // Without a branch, for the compiler to vectorise: most rows hold nothing new.
    int any = 0;
    for (std::int64_t k = 0; k < panels * kPanel; ++k) any |= scores[k] > bars[q];
    rows |= static_cast<unsigned>(any) << q;
  }
  return rows;
}

#define STC_PRODUCT_PARAMETERS                                                            \
  const T *queries, const T *keys, std::int64_t channels, std::int64_t panels, T *scores, \
      std::int64_t score_stride
#define STC_PRODUCT_ARGUMENTS queries, keys, channels, panels, scores, score_stride
#define STC_ABOVE_PARAMETERS \
  const T *scores, std::int64_t score_stride, std::int64_t panels, const T *bars
#define STC_ABOVE_ARGUMENTS scores, score_stride, panels, bars

// Sums must fit the registers: 16 of 16 or 32 bytes, 32 of 64.
template <typename T>
void portable_product(STC_PRODUCT_PARAMETERS) {
  products<T, 16, 16 / sizeof(T), 1>(STC_PRODUCT_ARGUMENTS);
}
template <typename T>
unsigned portable_above(STC_ABOVE_PARAMETERS) {
  return rows_above<T>(STC_ABOVE_ARGUMENTS);
}
#ifdef __x86_64__
template <typename T>
[[gnu::target("avx2,fma")]] void avx2_product(STC_PRODUCT_PARAMETERS) {
  products<T, 32, 4, 8 / sizeof(T)>(STC_PRODUCT_ARGUMENTS);
}
template <typename T>
[[gnu::target("avx2,fma")]] unsigned avx2_above(STC_ABOVE_PARAMETERS) {
  return rows_above<T>(STC_ABOVE_ARGUMENTS);
}
template <typename T>
[[gnu::target("avx512f,fma")]] void avx512_product(STC_PRODUCT_PARAMETERS) {
  products<T, 64, 8, 16 / sizeof(T)>(STC_PRODUCT_ARGUMENTS);
}
#endif

#undef STC_PRODUCT_PARAMETERS
#undef STC_PRODUCT_ARGUMENTS
#undef STC_ABOVE_PARAMETERS
#undef STC_ABOVE_ARGUMENTS

}  // namespace

template <typename T>
AffinityTile<T> affinity_tile() {
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512f")) return {avx512_product<T>, avx2_above<T>};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {avx2_product<T>, avx2_above<T>};
#endif
  return {portable_product<T>, portable_above<T>};
}

template AffinityTile<float> affinity_tile();
template AffinityTile<double> affinity_tile();

}  // namespace stc::eval
