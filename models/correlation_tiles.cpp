#include "models/correlation_tiles.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <cmath>
#include <limits>

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

// [H, W, C] -> [tiles, K * K, C]: overlapping blocks of the zero-padded frame.
at::Tensor keys_of(const at::Tensor& cells, TileShape shape) {
  const auto r = shape.radius, side = key_side(shape), channels = cells.size(2);
  const auto padded = at::constant_pad_nd(cells, {0, 0, r, r, r, r}, 0).contiguous();
  const auto rows = cells.size(0) / shape.tile, columns = cells.size(1) / shape.tile;
  const auto line = padded.stride(0), cell = padded.stride(1);
  return padded
      .as_strided({rows, columns, side, side, channels},
                  {shape.tile * line, shape.tile * cell, line, cell, 1})
      .reshape({rows * columns, side * side, channels});
}

// The transpose of keys_of: adds the overlapping blocks up, and drops what fell outside the frame.
at::Tensor fold_keys(const at::Tensor& keys, TileShape shape, GridSize grid) {
  const auto r = shape.radius, side = key_side(shape), channels = keys.size(2);
  const auto padded =
      at::zeros({grid.height + 2 * r, grid.width + 2 * r, channels}, keys.options());
  const auto columns = grid.width / shape.tile;
  for (std::int64_t t = 0; t < keys.size(0); ++t) {
    padded.narrow(0, t / columns * shape.tile, side)
        .narrow(1, t % columns * shape.tile, side)
        .add_(keys[t].view({side, side, channels}));
  }
  return padded.narrow(0, r, grid.height).narrow(1, r, grid.width);
}

// Softmax of one sample's scaled dots over each query's window, clipped to the frame.
class WindowSoftmax {
 public:
  WindowSoftmax(const at::Tensor& features, TileShape shape) : scale_(scale_of(features)) {
    const auto closed = [&](const at::Tensor& open) {  // 0 where open, else -infinity
      return at::zeros(open.sizes(), features.options())
          .masked_fill_(open.logical_not(), -std::numeric_limits<double>::infinity());
    };
    window_ = closed(window_of_tile(shape, features.device())).unsqueeze(0);
    const GridSize grid{features.size(2), features.size(3)};
    frame_ = closed(frame_of_tiles(shape, grid, features.device())).unsqueeze(1);
  }

  static double scale_of(const at::Tensor& features) {
    return 1.0 / std::sqrt(static_cast<double>(features.size(1)));
  }
  double scale() const { return scale_; }
  at::Tensor operator()(const at::Tensor& dots) const {
    return at::softmax((dots * scale_).add_(window_).add_(frame_), -1);
  }

 private:
  double scale_;
  at::Tensor window_;  // [1, T * T, K * K]
  at::Tensor frame_;   // [tiles, 1, K * K]
};

// One sample's features [C, H, W] in tiles, and the gradients of both from that of the dots.
class SampleTiles {
 public:
  SampleTiles(const at::Tensor& target, const at::Tensor& reference, TileShape shape)
      : shape_(shape),
        grid_{target.size(1), target.size(2)},
        queries_(into_tiles(target.permute({1, 2, 0}).unsqueeze(0), shape.tile).squeeze(0)),
        keys_(keys_of(reference.permute({1, 2, 0}), shape)) {}

  at::Tensor dots() const { return at::bmm(queries_, keys_.transpose(1, 2)); }
  at::Tensor target_gradient(const at::Tensor& grad_dots) const {
    const auto tiled = at::bmm(grad_dots, keys_).unsqueeze(0);
    return out_of_tiles(tiled, shape_.tile, grid_)[0].permute({2, 0, 1});
  }
  at::Tensor reference_gradient(const at::Tensor& grad_dots) const {
    return fold_keys(at::bmm(grad_dots.transpose(1, 2), queries_), shape_, grid_)
        .permute({2, 0, 1});
  }

 private:
  TileShape shape_;
  GridSize grid_;
  at::Tensor queries_;  // [tiles, T * T, C]
  at::Tensor keys_;     // [tiles, K * K, C]
};

void save_shape(AutogradContext* context, TileShape shape) {
  context->saved_data["tile"] = shape.tile;
  context->saved_data["radius"] = shape.radius;
}

TileShape saved_shape(AutogradContext* context) {
  return {context->saved_data["tile"].toInt(), context->saved_data["radius"].toInt()};
}

class CorrelationFunction : public torch::autograd::Function<CorrelationFunction> {
 public:
  static variable_list forward(AutogradContext* context,
                               const at::Tensor& target,
                               const at::Tensor& reference,
                               TileShape shape) {
    const WindowSoftmax softmax(target, shape);
    std::vector<at::Tensor> maps, dots;
    for (std::int64_t b = 0; b < target.size(0); ++b) {
      dots.push_back(SampleTiles(target[b], reference[b], shape).dots());
      maps.push_back(softmax(dots.back()));
    }
    const auto map = at::stack(maps), all_dots = at::stack(dots);
    context->save_for_backward({target, reference, map});
    save_shape(context, shape);
    context->mark_non_differentiable({all_dots});
    return {map, all_dots};
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &target = saved[0], &reference = saved[1], &map = saved[2];
    const auto shape = saved_shape(context);
    const auto grad_target = at::empty_like(target), grad_reference = at::empty_like(reference);
    for (std::int64_t b = 0; b < target.size(0); ++b) {
      const auto weighted = grads[0][b] * map[b];
      const auto grad_dots =
          (weighted - map[b] * weighted.sum(-1, true)).mul_(WindowSoftmax::scale_of(target));
      const SampleTiles tiles(target[b], reference[b], shape);
      grad_target[b].copy_(tiles.target_gradient(grad_dots));
      grad_reference[b].copy_(tiles.reference_gradient(grad_dots));
    }
    return {grad_target, grad_reference, {}};
  }
};

at::Tensor pool_map(const at::Tensor& map, TileShape shape) {
  const auto tiles = map.size(0), half = shape.tile / 2, side = key_side(shape);
  const auto keys = at::avg_pool2d(map.view({tiles, shape.tile * shape.tile, side, side}), 2);
  return keys.view({tiles, half, 2, half, 2, side * side / 4})
      .mean({2, 4})
      .view({tiles, half * half, side * side / 4});
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
    for (std::int64_t b = 0; b < target.size(0); ++b) {
      const auto map = softmax(SampleTiles(target[b], reference[b], shape).dots());
      rebuilt.push_back(at::bmm(map, key_values[b]).squeeze(-1));
      if (pool) pooled.push_back(pool_map(map, shape));
    }
    const auto out = at::stack(rebuilt);
    const auto all_pooled = pool ? at::stack(pooled) : at::empty({0}, target.options());
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
    const auto grad_target = at::empty_like(target), grad_reference = at::empty_like(reference);
    for (std::int64_t b = 0; b < target.size(0); ++b) {
      const SampleTiles tiles(target[b], reference[b], shape);
      // d out_i / d dots_ij = scale * map_ij (value_j - out_i)
      auto grad_dots = softmax(tiles.dots());
      grad_dots.mul_(key_values[b].transpose(1, 2) - out[b].unsqueeze(-1));
      grad_dots.mul_(grads[0][b].unsqueeze(-1) * softmax.scale());
      grad_target[b].copy_(tiles.target_gradient(grad_dots));
      grad_reference[b].copy_(tiles.reference_gradient(grad_dots));
    }
    return {grad_target, grad_reference, {}, {}, {}};
  }
};

void check_features(const at::Tensor& target, const at::Tensor& reference, TileShape shape) {
  STC_CHECK(target.dim() == 4 && target.sizes() == reference.sizes(),
            "target features are {}, reference features {}; expected the same [B, C, H, W]",
            target.sizes(),
            reference.sizes());
  const auto height = target.size(2), width = target.size(3);
  const auto [tile, radius] = shape;
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
  const auto [tile, radius] = shape;
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
  std::vector<at::Tensor> tiles;
  for (std::int64_t b = 0; b < values.size(0); ++b) {
    tiles.push_back(keys_of(values[b].unsqueeze(-1), shape).squeeze(-1));
  }
  return at::stack(tiles);
}

at::Tensor window_of_tile(TileShape shape, at::Device device) {
  const auto query = at::arange(shape.tile, device).unsqueeze(1) + shape.radius;
  const auto key = at::arange(key_side(shape), device).unsqueeze(0);
  const auto near = (query - key).abs() <= shape.radius;  // [T, K], one axis
  return near.view({shape.tile, 1, -1, 1})
      .logical_and(near.view({1, shape.tile, 1, -1}))
      .reshape({shape.tile * shape.tile, -1});
}

at::Tensor frame_of_tiles(TileShape shape, GridSize grid, at::Device device) {
  const auto options = at::TensorOptions(device).dtype(at::kFloat);
  const auto inside = at::ones({1, grid.height, grid.width}, options);
  return tile_keys(inside, shape)[0] > 0;
}

}  // namespace stc::models
