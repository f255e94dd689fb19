#include "models/correlation.h"

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

// [H, W, C] -> [tiles, T * T, C].
at::Tensor queries_of(const at::Tensor& cells, std::int64_t tile) {
  const auto rows = cells.size(0) / tile, columns = cells.size(1) / tile, channels = cells.size(2);
  return cells.reshape({rows, tile, columns, tile, channels})
      .transpose(1, 2)
      .reshape({rows * columns, tile * tile, channels});
}

at::Tensor cells_of(const at::Tensor& queries,
                    std::int64_t tile,
                    std::int64_t height,
                    std::int64_t width) {
  const auto rows = height / tile, columns = width / tile, channels = queries.size(2);
  return queries.reshape({rows, columns, tile, tile, channels})
      .transpose(1, 2)
      .reshape({height, width, channels});
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
at::Tensor fold_keys(const at::Tensor& keys,
                     TileShape shape,
                     std::int64_t height,
                     std::int64_t width) {
  const auto r = shape.radius, side = key_side(shape), channels = keys.size(2);
  const auto padded = at::zeros({height + 2 * r, width + 2 * r, channels}, keys.options());
  const auto columns = width / shape.tile;
  for (std::int64_t t = 0; t < keys.size(0); ++t) {
    padded.narrow(0, t / columns * shape.tile, side)
        .narrow(1, t % columns * shape.tile, side)
        .add_(keys[t].view({side, side, channels}));
  }
  return padded.narrow(0, r, height).narrow(1, r, width);
}

// One call's constants: the scale, and 0 / -infinity where a query may and may not look.
struct Windows {
  TileShape shape;
  double scale;
  at::Tensor window;  // [1, T * T, K * K]
  at::Tensor frame;   // [tiles, 1, K * K]

  Windows(const at::Tensor& features, TileShape s)
      : shape(s), scale(1.0 / std::sqrt(static_cast<double>(features.size(1)))) {
    const auto closed = [&](const at::Tensor& open) {
      return at::zeros(open.sizes(), features.options())
          .masked_fill_(open.logical_not(), -std::numeric_limits<double>::infinity());
    };
    window = closed(window_of_tile(s, features.device())).unsqueeze(0);
    frame = closed(frame_of_tiles(s, features.size(2), features.size(3), features.device()))
                .unsqueeze(1);
  }

  at::Tensor softmax(const at::Tensor& dots) const {
    return at::softmax((dots * scale).add_(window).add_(frame), -1);
  }
};

// One sample's tiles: [tiles, T * T, C] and [tiles, K * K, C].
struct Tiles {
  at::Tensor queries, keys;
  Tiles(const at::Tensor& target, const at::Tensor& reference, TileShape shape)
      : queries(queries_of(target.permute({1, 2, 0}), shape.tile)),
        keys(keys_of(reference.permute({1, 2, 0}), shape)) {}
  at::Tensor dots() const { return at::bmm(queries, keys.transpose(1, 2)); }

  // From d loss / d dots to the two features, written to grad_target and grad_reference [C, H, W].
  void backward(const at::Tensor& grad_dots,
                TileShape shape,
                const at::Tensor& grad_target,
                const at::Tensor& grad_reference) const {
    const auto height = grad_target.size(1), width = grad_target.size(2);
    grad_target.copy_(
        cells_of(at::bmm(grad_dots, keys), shape.tile, height, width).permute({2, 0, 1}));
    grad_reference.copy_(
        fold_keys(at::bmm(grad_dots.transpose(1, 2), queries), shape, height, width)
            .permute({2, 0, 1}));
  }
};

class LocalCorrelationFunction : public torch::autograd::Function<LocalCorrelationFunction> {
 public:
  static variable_list forward(AutogradContext* context,
                               const at::Tensor& target,
                               const at::Tensor& reference,
                               std::int64_t tile,
                               std::int64_t radius) {
    const TileShape shape{tile, radius};
    const Windows windows(target, shape);
    std::vector<at::Tensor> maps, dots;
    for (std::int64_t b = 0; b < target.size(0); ++b) {
      dots.push_back(Tiles(target[b], reference[b], shape).dots());
      maps.push_back(windows.softmax(dots.back()));
    }
    const auto map = at::stack(maps), all_dots = at::stack(dots);
    context->save_for_backward({target, reference, map});
    context->saved_data["tile"] = tile;
    context->saved_data["radius"] = radius;
    context->mark_non_differentiable({all_dots});
    return {map, all_dots};
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &target = saved[0], &reference = saved[1], &map = saved[2];
    const TileShape shape{context->saved_data["tile"].toInt(),
                          context->saved_data["radius"].toInt()};
    const auto grad_target = at::empty_like(target), grad_reference = at::empty_like(reference);
    const double scale = 1.0 / std::sqrt(static_cast<double>(target.size(1)));
    for (std::int64_t b = 0; b < target.size(0); ++b) {
      const auto weighted = grads[0][b] * map[b];
      const auto grad_dots = (weighted - map[b] * weighted.sum(-1, true)).mul_(scale);
      Tiles(target[b], reference[b], shape)
          .backward(grad_dots, shape, grad_target[b], grad_reference[b]);
    }
    return {grad_target, grad_reference, {}, {}};
  }
};

at::Tensor pool_map(const at::Tensor& map, TileShape shape) {
  const auto tiles = map.size(0), half = shape.tile / 2, side = key_side(shape);
  const auto keys = at::avg_pool2d(map.view({tiles, shape.tile * shape.tile, side, side}), 2);
  return keys.view({tiles, half, 2, half, 2, side * side / 4})
      .mean({2, 4})
      .view({tiles, half * half, side * side / 4});
}

class LocalReconstructionFunction : public torch::autograd::Function<LocalReconstructionFunction> {
 public:
  static variable_list forward(AutogradContext* context,
                               const at::Tensor& target,
                               const at::Tensor& reference,
                               const at::Tensor& values,
                               std::int64_t tile,
                               std::int64_t radius,
                               bool pool) {
    const TileShape shape{tile, radius};
    const Windows windows(target, shape);
    const auto key_values = tile_keys(values, shape).unsqueeze(-1);
    std::vector<at::Tensor> rebuilt, pooled;
    for (std::int64_t b = 0; b < target.size(0); ++b) {
      const auto map = windows.softmax(Tiles(target[b], reference[b], shape).dots());
      rebuilt.push_back(at::bmm(map, key_values[b]).squeeze(-1));
      if (pool) pooled.push_back(pool_map(map, shape));
    }
    const auto out = at::stack(rebuilt);
    const auto all_pooled = pool ? at::stack(pooled) : at::empty({0}, target.options());
    context->save_for_backward({target, reference, key_values, out});
    context->saved_data["tile"] = tile;
    context->saved_data["radius"] = radius;
    context->mark_non_differentiable({all_pooled});
    return {out, all_pooled};
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &target = saved[0], &reference = saved[1], &key_values = saved[2],
                     &out = saved[3];
    const TileShape shape{context->saved_data["tile"].toInt(),
                          context->saved_data["radius"].toInt()};
    const Windows windows(target, shape);
    const auto grad_target = at::empty_like(target), grad_reference = at::empty_like(reference);
    for (std::int64_t b = 0; b < target.size(0); ++b) {
      const Tiles tiles(target[b], reference[b], shape);
      // d out_i / d dots_ij = scale * map_ij (value_j - out_i)
      auto grad_dots = windows.softmax(tiles.dots());
      grad_dots.mul_(key_values[b].transpose(1, 2) - out[b].unsqueeze(-1));
      grad_dots.mul_(grads[0][b].unsqueeze(-1) * windows.scale);
      tiles.backward(grad_dots, shape, grad_target[b], grad_reference[b]);
    }
    return {grad_target, grad_reference, {}, {}, {}, {}};
  }
};

void check_features(const at::Tensor& target, const at::Tensor& reference, TileShape shape) {
  STC_CHECK(target.dim() == 4 && target.sizes() == reference.sizes(),
            "target features are {}, reference features {}; expected the same [B, C, H, W]",
            target.sizes(),
            reference.sizes());
  STC_CHECK(shape.tile >= 1 && shape.radius >= 1 && target.size(2) % shape.tile == 0 &&
                target.size(3) % shape.tile == 0,
            "feature maps of {}x{} cells cannot be cut into tiles of {} (radius {}); use a frame "
            "size that is a multiple of 32 pixels",
            target.size(2),
            target.size(3),
            shape.tile,
            shape.radius);
}

}  // namespace

LocalCorrelation local_correlation(const at::Tensor& target,
                                   const at::Tensor& reference,
                                   TileShape shape) {
  check_features(target, reference, shape);
  const auto out = LocalCorrelationFunction::apply(target, reference, shape.tile, shape.radius);
  return {out[0], out[1]};
}

LocalReconstruction local_reconstruction(const at::Tensor& target,
                                         const at::Tensor& reference,
                                         const at::Tensor& values,
                                         TileShape shape,
                                         bool pool) {
  check_features(target, reference, shape);
  STC_CHECK(shape.tile % 2 == 0 && shape.radius % 2 == 0,
            "tile {} and radius {} must be even",
            shape.tile,
            shape.radius);
  const auto out = LocalReconstructionFunction::apply(
      target, reference, values.detach(), shape.tile, shape.radius, pool);
  return {untile_queries(out[0], shape.tile, target.size(2), target.size(3)),
          pool ? out[1] : at::Tensor()};
}

at::Tensor tile_queries(const at::Tensor& values, std::int64_t tile) {
  const auto batch = values.size(0), rows = values.size(1) / tile, columns = values.size(2) / tile;
  return values.reshape({batch, rows, tile, columns, tile})
      .transpose(2, 3)
      .reshape({batch, rows * columns, tile * tile});
}

at::Tensor untile_queries(const at::Tensor& tiled,
                          std::int64_t tile,
                          std::int64_t height,
                          std::int64_t width) {
  const auto batch = tiled.size(0);
  return tiled.reshape({batch, height / tile, width / tile, tile, tile})
      .transpose(2, 3)
      .reshape({batch, height, width});
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

at::Tensor frame_of_tiles(TileShape shape,
                          std::int64_t height,
                          std::int64_t width,
                          at::Device device) {
  const auto inside = at::ones({1, height, width}, at::TensorOptions(device).dtype(at::kFloat));
  return tile_keys(inside, shape)[0] > 0;
}

at::Tensor global_correlation(const at::Tensor& target, const at::Tensor& reference, double scale) {
  const auto dots = at::bmm(target.flatten(2).transpose(1, 2), reference.flatten(2));
  return at::softmax(dots * scale, -1);
}

}  // namespace stc::models
