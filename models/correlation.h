// Correlation of two frames (docs/method.md 2.6): within a window, and of all cells. Values of
// cells in, values of cells out; how a map is laid out in memory is private.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <utility>

namespace stc::models {

struct TiledCorrelation;  // models/correlation_tiles.h

/// A fine level's map averaged over 2 x 2 target and 2 x 2 reference cells: the grid and the window
/// of a level with half the cells and half the radius. Rows sum to 1/4; no gradient.
class PooledMap {
 public:
  PooledMap() = default;
  PooledMap scaled(double factor) const;

 private:
  friend class WindowedCorrelation;
  explicit PooledMap(at::Tensor tiles) : tiles_(std::move(tiles)) {}
  at::Tensor tiles_;  // laid out as the map of the coarser level
};

/// Whether a map stays in memory between its uses and for backward.
enum class MapStorage {
  kKept,       ///< computed once: the coarse level
  kRecomputed  ///< computed by each use, by rebuild() one sample at a time: the fine level
};

/// Which distribution over its window a cell is scored by.
enum class ScoredRows {
  kOwn,            ///< the map's row
  kUnscaledPadded  ///< softmax of unscaled products, 0 for cells outside the frame
};

enum class RowScore {
  kEntropy,        ///< -sum p log p over the cells in the frame
  kNegativeLogSum  ///< -sum log(p + 1e-12) over the cells that the softmax runs over
};

/// P[i, j] = softmax_j(<target_i, reference_j> / sqrt(C)) over the window of (2 radius + 1)^2
/// reference cells around target cell i, clipped to the frame (docs/method.md 2.6 a).
class WindowedCorrelation {
 public:
  /// target, reference [B, C, H, W]; H and W are multiples of 8, or of 4 for a map that is kept.
  WindowedCorrelation(const at::Tensor& target,
                      const at::Tensor& reference,
                      std::int64_t radius_cells,
                      MapStorage storage);

  /// sum_j P[i, j] values[j] of values [B, H, W] (no gradient): [B, H, W], differentiable in both
  /// features. A map that is recomputed needs an even radius.
  at::Tensor rebuild(const at::Tensor& values) const;
  struct Rebuilt {
    at::Tensor values;
    PooledMap pooled;
  };
  /// rebuild() with a map that is recomputed and pooled on the way.
  Rebuilt rebuild_and_pool(const at::Tensor& values) const;

  /// sum_i weight[i] sum_j (P[i, j] - pooled[i, j])^2 with weight [B, H, W] (no gradient): a
  /// scalar, differentiable in both features.
  at::Tensor squared_distance(const PooledMap& pooled, const at::Tensor& weight) const;
  /// Mean over the rows, in nats: a scalar without gradient.
  at::Tensor mean_entropy() const;

  /// [B, H, W], without gradient.
  at::Tensor scores(ScoredRows rows, RowScore score) const;

 private:
  TiledCorrelation tiled() const;

  at::Tensor target_, reference_;
  std::int64_t radius_cells_;
  std::shared_ptr<const TiledCorrelation> kept_;  // null: recomputed
};

/// -sum_j p log p of each row of a map [..., j], in nats.
at::Tensor row_entropy(const at::Tensor& map);

/// Softmax over all cells of <target_i, reference_j> * scale (docs/method.md 2.6 e): [B, HW, HW].
/// For small maps.
at::Tensor global_correlation(const at::Tensor& target, const at::Tensor& reference, double scale);

}  // namespace stc::models
