// Correlation maps in tiles instead of HW x HW. Private to models/correlation.cpp (and its test).
//
// The target grid is cut into tiles of T x T queries; a tile's keys are the K x K reference cells
// around it, K = T + 2 r. A map in tile layout is [B, tiles, T * T, K * K], tiles, queries and keys
// each row by row; keys outside the frame or outside a query's own (2 r + 1)^2 window hold 0. At
// level 0 of step 2 this is a quarter of the dense map's arithmetic, and a map of (T, r) pooled
// 2 x 2 x 2 x 2 has exactly the layout of a map of (T / 2, r / 2) on half the cells.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace stc::models {

struct TileShape {
  std::int64_t tile = 8;     ///< T, cells
  std::int64_t radius = 12;  ///< r, cells; >= 1
  /// Whose tiles are in memory at a time; 0: one on a CPU, on a GPU as many as take 2 GiB.
  std::int64_t samples = 0;
};

/// Of a feature map, in cells.
struct GridSize {
  std::int64_t height, width;
};

/// Softmax over the window of <target_i, reference_j> / sqrt(C).
struct TiledCorrelation {
  at::Tensor map;   ///< [B, tiles, T * T, K * K]; rows sum to 1; differentiable in both features
  at::Tensor dots;  ///< same layout: <target_i, reference_j>, 0 outside the frame; detached
};

/// target, reference [B, C, H, W], H and W multiples of the tile. The map is kept for backward.
TiledCorrelation tiled_correlation(const at::Tensor& target,
                                   const at::Tensor& reference,
                                   TileShape shape);

struct TiledReconstruction {
  at::Tensor values;  ///< [B, H, W]: sum_j map[i, j] values_j; differentiable in both features
  at::Tensor pooled;  ///< [B, tiles, T * T / 4, K * K / 4]: mean of the map over 2 x 2 queries and
                      ///< 2 x 2 keys; detached
};

/// The same map applied to `values` [B, H, W] of the reference (no gradient), without keeping the
/// map: the tiles of a few samples are in memory at a time, and backward computes them again. T and
/// r even. `pool` false leaves `pooled` undefined.
TiledReconstruction tiled_reconstruction(const at::Tensor& target,
                                         const at::Tensor& reference,
                                         const at::Tensor& values,
                                         TileShape shape,
                                         bool pool);

/// [B, H, W] -> [B, tiles, T * T] and back.
at::Tensor tile_queries(const at::Tensor& values, std::int64_t tile);
at::Tensor untile_queries(const at::Tensor& tiled, std::int64_t tile, GridSize grid);
/// [B, H, W] -> [B, tiles, K * K], 0 outside the frame.
at::Tensor tile_keys(const at::Tensor& values, TileShape shape);

/// What is added to the scaled dots before a softmax: 0 where a key counts, else -infinity.
struct TileMasks {
  at::Tensor window;  ///< [T * T, K * K]: keys in the query's window, in the frame or not
  at::Tensor frame;   ///< [tiles, 1, K * K]: keys of each tile in the frame
};

/// Of the features' type, on their device. Made once and kept until the end of the program.
const TileMasks& masks_of(TileShape shape, GridSize grid, const at::Tensor& like);

}  // namespace stc::models
