#include "models/correlation_tiles.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <tuple>

#include "models/made_once.h"
#include "monitoring/check.h"

namespace stc::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

std::int64_t key_side(TileShape shape) { return shape.tile + 2 * shape.radius; }

// [B, H, W, C] -> [B, tiles, T * T, C].
at::Tensor into_tiles(const at::Tensor& cells, std::int64_t tile) {
  const auto batch = cells.size(0), channels = cells.size(3);
  const auto rows = cells.size(1) / tile, columns = cells.size(2) / tile;
  return cells.reshape({batch, rows, tile, columns, tile, channels})
      .transpose(2, 3)
      .reshape({batch, rows * columns, tile * tile, channels});
}

at::Tensor out_of_tiles(const at::Tensor& queries, std::int64_t tile, GridSize grid) {
  const auto batch = queries.size(0), channels = queries.size(3);
  return queries.reshape({batch, grid.height / tile, grid.width / tile, tile, tile, channels})
      .transpose(2, 3)
      .reshape({batch, grid.height, grid.width, channels});
}

// [B, H, W, C] -> [B, tiles, K * K, C]: overlapping blocks of the zero-padded frames.
at::Tensor keys_of(const at::Tensor& cells, TileShape shape) {
  const auto r = shape.radius, side = key_side(shape);
  const auto batch = cells.size(0), channels = cells.size(3);
  const auto padded = at::constant_pad_nd(cells, {0, 0, r, r, r, r}, 0).contiguous();
  const auto rows = cells.size(1) / shape.tile, columns = cells.size(2) / shape.tile;
  const auto frame = padded.stride(0), line = padded.stride(1), cell = padded.stride(2);
  return padded
      .as_strided({batch, rows, columns, side, side, channels},
                  {frame, shape.tile * line, shape.tile * cell, line, cell, 1})
      .reshape({batch, rows * columns, side * side, channels});
}

// The transpose of keys_of: adds the overlapping blocks up, and drops what fell outside the frame.
// A block is cut into pieces as large as a tile. The pieces at one place of their blocks do not
// overlap, so that one addition takes those of all blocks: as many as a block has pieces.
at::Tensor fold_keys(const at::Tensor& keys, TileShape shape, GridSize grid) {
  const auto tile = shape.tile, side = key_side(shape), pieces = (side + tile - 1) / tile;
  const auto batch = keys.size(0), channels = keys.size(3);
  const auto rows = grid.height / tile, columns = grid.width / tile;
  const auto blocks = keys.view({batch, rows, columns, side, side, channels}).transpose(2, 3);
  const auto padded = at::zeros(
      {batch, rows + pieces - 1, tile, columns + pieces - 1, tile, channels}, keys.options());
  const auto length = [&](std::int64_t piece) { return std::min(tile, side - piece * tile); };
  for (std::int64_t i = 0; i < pieces; ++i) {
    for (std::int64_t j = 0; j < pieces; ++j) {
      padded.narrow(1, i, rows)
          .narrow(2, 0, length(i))
          .narrow(3, j, columns)
          .narrow(4, 0, length(j))
          .add_(blocks.narrow(2, i * tile, length(i)).narrow(4, j * tile, length(j)));
    }
  }
  return padded.view({batch, padded.size(1) * tile, padded.size(3) * tile, channels})
      .narrow(1, shape.radius, grid.height)
      .narrow(2, shape.radius, grid.width);
}

// Softmax of scaled dots [B, tiles, T * T, K * K] over each query's window, clipped to the frame.
class WindowSoftmax {
 public:
  WindowSoftmax(const at::Tensor& features, TileShape shape)
      : scale_(scale_of(features)),
        masks_(masks_of(shape, {features.size(2), features.size(3)}, features)) {}

  static double scale_of(const at::Tensor& features) {
    return 1.0 / std::sqrt(static_cast<double>(features.size(1)));
  }
  double scale() const { return scale_; }
  at::Tensor operator()(const at::Tensor& dots) const {
    return at::softmax(at::add(masks_.window, dots, scale_).add_(masks_.frame), -1);
  }

 private:
  double scale_;
  const TileMasks& masks_;
};

// Features [B, C, H, W] of some samples in tiles, and the gradients of both from that of the dots.
class Tiles {
 public:
  Tiles(const at::Tensor& target, const at::Tensor& reference, TileShape shape)
      : shape_(shape),
        grid_{target.size(2), target.size(3)},
        queries_(into_tiles(target.permute({0, 2, 3, 1}), shape.tile)),
        keys_(keys_of(reference.permute({0, 2, 3, 1}), shape)) {}

  at::Tensor dots() const { return at::matmul(queries_, keys_.transpose(2, 3)); }
  at::Tensor target_gradient(const at::Tensor& grad_dots) const {
    const auto tiled = at::matmul(grad_dots, keys_);
    return out_of_tiles(tiled, shape_.tile, grid_).permute({0, 3, 1, 2});
  }
  at::Tensor reference_gradient(const at::Tensor& grad_dots) const {
    const auto tiled = at::matmul(grad_dots.transpose(2, 3), queries_);
    return fold_keys(tiled, shape_, grid_).permute({0, 3, 1, 2});
  }

 private:
  TileShape shape_;
  GridSize grid_;
  at::Tensor queries_;  // [B, tiles, T * T, C]
  at::Tensor keys_;     // [B, tiles, K * K, C]
};

// How many samples' tiles are in memory at a time: on a GPU each launch should do much, while on a
// CPU one sample's tiles fit the cache.
std::int64_t samples_at_a_time(const at::Tensor& features, TileShape shape) {
  if (shape.samples > 0) return shape.samples;
  if (features.is_cpu()) return 1;
  constexpr double kBytes = 2.0 * (1 << 30);
  const auto side = key_side(shape), queries = shape.tile * shape.tile;
  const auto keys = features.size(2) * features.size(3) / queries * side * side;  // of a sample
  // Blocks of keys, the dots, their softmax and its gradient.
  const auto values = keys * (features.size(1) + 3 * queries);
  const auto bytes = static_cast<double>(values) * static_cast<double>(features.element_size());
  return std::max<std::int64_t>(1, static_cast<std::int64_t>(kBytes / bytes));
}

// Calls body(of_these) for some samples after others; of_these(tensor) are their rows of a tensor
// [B, ...].
template <typename Body>
void for_samples(const at::Tensor& features, TileShape shape, Body body) {
  const auto batch = features.size(0), at_a_time = samples_at_a_time(features, shape);
  for (std::int64_t first = 0; first < batch; first += at_a_time) {
    const auto count = std::min(at_a_time, batch - first);
    body([&](const at::Tensor& all) { return all.narrow(0, first, count); });
  }
}

// Their rows one after the other; of one piece, that piece.
at::Tensor joined(const std::vector<at::Tensor>& pieces) {
  return pieces.size() == 1 ? pieces[0] : at::cat(pieces);
}

// Puts the rows of some samples in their place of a whole like `like`; if they are all, they are
// it.
template <typename OfThese>
void put(at::Tensor* whole, const at::Tensor& like, OfThese of_these, const at::Tensor& rows) {
  if (rows.size(0) == like.size(0)) {
    *whole = rows;
    return;
  }
  if (!whole->defined()) *whole = at::empty_like(like);
  of_these(*whole).copy_(rows);
}

void save_shape(AutogradContext* context, TileShape shape) {
  context->saved_data["tile"] = shape.tile;
  context->saved_data["radius"] = shape.radius;
  context->saved_data["samples"] = shape.samples;
}

TileShape saved_shape(AutogradContext* context) {
  const auto& data = context->saved_data;
  return {data.at("tile").toInt(), data.at("radius").toInt(), data.at("samples").toInt()};
}

class CorrelationFunction : public torch::autograd::Function<CorrelationFunction> {
 public:
  static variable_list forward(AutogradContext* context,
                               const at::Tensor& target,
                               const at::Tensor& reference,
                               TileShape shape) {
    const WindowSoftmax softmax(target, shape);
    std::vector<at::Tensor> maps, dots;
    for_samples(target, shape, [&](const auto& of_these) {
      dots.push_back(Tiles(of_these(target), of_these(reference), shape).dots());
      maps.push_back(softmax(dots.back()));
    });
    const auto map = joined(maps), all_dots = joined(dots);
    context->save_for_backward({target, reference, map});
    save_shape(context, shape);
    context->mark_non_differentiable({all_dots});
    return {map, all_dots};
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &target = saved[0], &reference = saved[1], &map = saved[2];
    const auto shape = saved_shape(context);
    at::Tensor grad_target, grad_reference;
    for_samples(target, shape, [&](const auto& of_these) {
      const auto these = of_these(map), weighted = of_these(grads[0]) * these;
      const auto grad_dots =
          (weighted - these * weighted.sum(-1, true)).mul_(WindowSoftmax::scale_of(target));
      const Tiles tiles(of_these(target), of_these(reference), shape);
      put(&grad_target, target, of_these, tiles.target_gradient(grad_dots));
      put(&grad_reference, reference, of_these, tiles.reference_gradient(grad_dots));
    });
    return {grad_target, grad_reference, {}};
  }
};

at::Tensor pool_map(const at::Tensor& map, TileShape shape) {
  const auto batch = map.size(0), tiles = map.size(1), half = shape.tile / 2;
  const auto side = key_side(shape), queries = shape.tile * shape.tile;
  const auto keys = at::avg_pool2d(map.view({batch * tiles, queries, side, side}), 2);
  return keys.view({batch, tiles, half, 2, half, 2, side * side / 4})
      .mean({3, 5})
      .view({batch, tiles, half * half, side * side / 4});
}

class ReconstructionFunction : public torch::autograd::Function<ReconstructionFunction> {
 public:
  static variable_list forward(AutogradContext* context,
                               const at::Tensor& target,
                               const at::Tensor& reference,
                               const at::Tensor& values,
                               TileShape shape,
                               bool pool) {
    const WindowSoftmax softmax(target, shape);
    const auto key_values = tile_keys(values, shape).unsqueeze(-1);
    std::vector<at::Tensor> rebuilt, pooled;
    for_samples(target, shape, [&](const auto& of_these) {
      const auto map = softmax(Tiles(of_these(target), of_these(reference), shape).dots());
      rebuilt.push_back(at::matmul(map, of_these(key_values)).squeeze(-1));
      if (pool) pooled.push_back(pool_map(map, shape));
    });
    const auto out = joined(rebuilt);
    const auto all_pooled = pool ? joined(pooled) : at::empty({0}, target.options());
    context->save_for_backward({target, reference, key_values, out});
    save_shape(context, shape);
    context->mark_non_differentiable({all_pooled});
    return {out, all_pooled};
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &target = saved[0], &reference = saved[1];
    const at::Tensor &key_values = saved[2], &out = saved[3];
    const auto shape = saved_shape(context);
    const WindowSoftmax softmax(target, shape);
    at::Tensor grad_target, grad_reference;
    for_samples(target, shape, [&](const auto& of_these) {
      const Tiles tiles(of_these(target), of_these(reference), shape);
      // d out_i / d dots_ij = scale * map_ij (value_j - out_i)
      auto grad_dots = softmax(tiles.dots());
      grad_dots.mul_(of_these(key_values).transpose(2, 3) - of_these(out).unsqueeze(-1));
      grad_dots.mul_(of_these(grads[0]).unsqueeze(-1) * softmax.scale());
      put(&grad_target, target, of_these, tiles.target_gradient(grad_dots));
      put(&grad_reference, reference, of_these, tiles.reference_gradient(grad_dots));
    });
    return {grad_target, grad_reference, {}, {}, {}};
  }
};

void check_features(const at::Tensor& target, const at::Tensor& reference, TileShape shape) {
  STC_CHECK(target.dim() == 4 && target.sizes() == reference.sizes(),
            "target features are {}, reference features {}; expected the same [B, C, H, W]",
            target.sizes(),
            reference.sizes());
  const auto height = target.size(2), width = target.size(3);
  const auto [tile, radius, samples] = shape;
  STC_CHECK(tile >= 1 && radius >= 1 && height % tile == 0 && width % tile == 0,
            "feature maps of {}x{} cells cannot be cut into tiles of {} (radius {}); use a frame "
            "size that is a multiple of 32 pixels",
            height,
            width,
            tile,
            radius);
}

}  // namespace

TiledCorrelation tiled_correlation(const at::Tensor& target,
                                   const at::Tensor& reference,
                                   TileShape shape) {
  check_features(target, reference, shape);
  const auto out = CorrelationFunction::apply(target, reference, shape);
  return {out[0], out[1]};
}

TiledReconstruction tiled_reconstruction(const at::Tensor& target,
                                         const at::Tensor& reference,
                                         const at::Tensor& values,
                                         TileShape shape,
                                         bool pool) {
  check_features(target, reference, shape);
  const auto [tile, radius, samples] = shape;
  STC_CHECK(tile % 2 == 0 && radius % 2 == 0, "tile {} and radius {} must be even", tile, radius);
  const auto out = ReconstructionFunction::apply(target, reference, values.detach(), shape, pool);
  const auto rebuilt = untile_queries(out[0], shape.tile, {target.size(2), target.size(3)});
  return {rebuilt, pool ? out[1] : at::Tensor()};
}

at::Tensor tile_queries(const at::Tensor& values, std::int64_t tile) {
  return into_tiles(values.unsqueeze(-1), tile).squeeze(-1);
}

at::Tensor untile_queries(const at::Tensor& tiled, std::int64_t tile, GridSize grid) {
  return out_of_tiles(tiled.unsqueeze(-1), tile, grid).squeeze(-1);
}

at::Tensor tile_keys(const at::Tensor& values, TileShape shape) {
  return keys_of(values.unsqueeze(-1), shape).squeeze(-1);
}

namespace {

// [T * T, K * K] bool: which keys of a tile lie in the query's window (in the frame or not).
at::Tensor window_of_tile(TileShape shape, at::Device device) {
  const auto query = at::arange(shape.tile, device).unsqueeze(1) + shape.radius;
  const auto key = at::arange(key_side(shape), device).unsqueeze(0);
  const auto near = (query - key).abs() <= shape.radius;  // [T, K], one axis
  return near.view({shape.tile, 1, -1, 1})
      .logical_and(near.view({1, shape.tile, 1, -1}))
      .reshape({shape.tile * shape.tile, -1});
}

// [tiles, K * K] bool: which keys of each tile lie in the frame.
at::Tensor frame_of_tiles(TileShape shape, GridSize grid, at::Device device) {
  const auto options = at::TensorOptions(device).dtype(at::kFloat);
  const auto inside = at::ones({1, grid.height, grid.width}, options);
  return tile_keys(inside, shape)[0] > 0;
}

TileMasks make_masks(TileShape shape, GridSize grid, const at::TensorOptions& options) {
  const auto addend = [&](const at::Tensor& open) {
    return at::zeros(open.sizes(), options)
        .masked_fill_(open.logical_not(), -std::numeric_limits<double>::infinity());
  };
  return {addend(window_of_tile(shape, options.device())),
          addend(frame_of_tiles(shape, grid, options.device())).unsqueeze(1)};
}

}  // namespace

const TileMasks& masks_of(TileShape shape, GridSize grid, const at::Tensor& like) {
  using Key = std::
      tuple<std::int64_t, std::int64_t, std::int64_t, std::int64_t, at::ScalarType, std::string>;
  static auto& known = *new MadeOnce<Key, TileMasks>;
  const auto options = at::TensorOptions(like.device()).dtype(like.scalar_type());
  return known.get(
      {shape.tile, shape.radius, grid.height, grid.width, like.scalar_type(), like.device().str()},
      [&] { return make_masks(shape, grid, options); });
}

}  // namespace stc::models
