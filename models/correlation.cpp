#include "models/correlation.h"

#include <ATen/ATen.h>

#include <cmath>

#include "models/correlation_tiles.h"

namespace stc::models {
namespace {

// A map that is pooled has twice the tile of one that is kept, so that the pooled map and the kept
// map of the next level have the same layout.
constexpr std::int64_t kKeptTile = 4;
constexpr std::int64_t kRecomputedTile = 2 * kKeptTile;

}  // namespace

PooledMap PooledMap::scaled(double factor) const { return PooledMap(tiles_ * factor); }

WindowedCorrelation::WindowedCorrelation(const at::Tensor& target,
                                         const at::Tensor& reference,
                                         std::int64_t radius_cells,
                                         MapStorage storage)
    : target_(target), reference_(reference), radius_cells_(radius_cells) {
  if (storage == MapStorage::kKept) kept_ = std::make_shared<const TiledCorrelation>(tiled());
}

TiledCorrelation WindowedCorrelation::tiled() const {
  return kept_ ? *kept_ : tiled_correlation(target_, reference_, {kKeptTile, radius_cells_});
}

at::Tensor WindowedCorrelation::rebuild(const at::Tensor& values) const {
  if (!kept_) {
    const TileShape shape{kRecomputedTile, radius_cells_};
    return tiled_reconstruction(target_, reference_, values, shape, /*pool=*/false).values;
  }
  const auto keys = tile_keys(values, {kKeptTile, radius_cells_});
  const auto tiled = at::matmul(kept_->map, keys.unsqueeze(-1)).squeeze(-1);
  return untile_queries(tiled, kKeptTile, {target_.size(2), target_.size(3)});
}

WindowedCorrelation::Rebuilt WindowedCorrelation::rebuild_and_pool(const at::Tensor& values) const {
  const TileShape shape{kRecomputedTile, radius_cells_};
  auto rebuilt = tiled_reconstruction(target_, reference_, values, shape, /*pool=*/true);
  return {rebuilt.values, PooledMap(rebuilt.pooled)};
}

at::Tensor WindowedCorrelation::squared_distance(const PooledMap& pooled,
                                                 const at::Tensor& weight) const {
  const auto squares = (tiled().map - pooled.tiles_).square().sum(-1);
  return (squares * tile_queries(weight, kKeptTile)).sum();
}

at::Tensor WindowedCorrelation::mean_entropy() const {
  return row_entropy(tiled().map.detach()).mean();
}

at::Tensor WindowedCorrelation::scores(ScoredRows rows, RowScore score) const {
  const TileShape shape{kKeptTile, radius_cells_};
  const GridSize grid{target_.size(2), target_.size(3)};
  const auto& masks = masks_of(shape, grid, target_);
  const auto correlation = tiled();
  const bool own = rows == ScoredRows::kOwn;
  const auto p = own ? correlation.map.detach() : at::softmax(correlation.dots + masks.window, -1);
  const auto in_frame = masks.window + masks.frame == 0;
  const auto tiled_scores =
      score == RowScore::kEntropy
          ? row_entropy(p * in_frame)
          : (-(p + 1e-12).log()).mul(own ? in_frame : masks.window == 0).sum(-1);
  return untile_queries(tiled_scores, kKeptTile, grid);
}

at::Tensor row_entropy(const at::Tensor& map) { return -at::xlogy(map, map).sum(-1); }

at::Tensor global_correlation(const at::Tensor& target, const at::Tensor& reference, double scale) {
  const auto dots = at::bmm(target.flatten(2).transpose(1, 2), reference.flatten(2));
  return at::softmax(dots * scale, -1);
}

}  // namespace stc::models
