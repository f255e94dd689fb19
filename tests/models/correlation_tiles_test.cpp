#include "models/correlation_tiles.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/dense_correlation.h"
#include "tests/support/devices.h"
#include "tests/support/operator_calls.h"

namespace stc::models {
namespace {

using test::close;
using test::dense_correlation;
using test::dense_window;

struct Case {
  std::int64_t batch, channels, height, width, tile, radius;
  std::int64_t samples = 0;  // at a time
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << "B" << c.batch << " C" << c.channels << " " << c.height << "x" << c.width << " T"
             << c.tile << " r" << c.radius << " by " << c.samples;
}

class TiledCorrelation : public test::OnDeviceAnd<Case> {
 protected:
  const Case& sizes() const { return std::get<1>(GetParam()); }
  at::Tensor features() const {
    const auto& c = sizes();
    return at::randn({c.batch, c.channels, c.height, c.width}, at::kDouble).requires_grad_();
  }
  TileShape shape() const { return {sizes().tile, sizes().radius, sizes().samples}; }
};

// Tile layout -> [B, HW, HW], by plain loops.
at::Tensor dense_of(const at::Tensor& map, const Case& c) {
  const auto side = c.tile + 2 * c.radius, columns = c.width / c.tile;
  auto dense = at::zeros({c.batch, c.height * c.width, c.height * c.width}, at::kDouble);
  const auto from = map.detach().cpu().contiguous();
  for (std::int64_t b = 0; b < c.batch; ++b)
    for (std::int64_t t = 0; t < map.size(1); ++t)
      for (std::int64_t q = 0; q < c.tile * c.tile; ++q)
        for (std::int64_t k = 0; k < side * side; ++k) {
          const auto y = t / columns * c.tile, x = t % columns * c.tile;
          const auto qy = y + q / c.tile, qx = x + q % c.tile;
          const auto ky = y - c.radius + k / side, kx = x - c.radius + k % side;
          const double value = from[b][t][q][k].item<double>();
          if (ky < 0 || kx < 0 || ky >= c.height || kx >= c.width) {
            EXPECT_EQ(value, 0) << "mass outside the frame";
          } else {
            dense[b][qy * c.width + qx][ky * c.width + kx] = value;
          }
        }
  return dense;
}

TEST_P(TiledCorrelation, MapIsTheDenseOne) {
  const auto& c = sizes();
  const auto target = features(), reference = features();
  const auto tiled = tiled_correlation(leaf(target), leaf(reference), shape());
  const auto expected =
      dense_correlation(target, reference, dense_window(c.height, c.width, c.radius));
  EXPECT_TRUE(at::allclose(dense_of(tiled.map, c), expected, 1e-12, 1e-13));
}

TEST_P(TiledCorrelation, GradientsAreTheDenseOnes) {
  const auto& c = sizes();
  const auto target = features(), reference = features();
  const auto values = at::randn({c.batch, c.height, c.width}, at::kDouble);
  const auto weight = at::randn({c.batch, c.height, c.width}, at::kDouble);

  const auto dense =
      dense_correlation(target, reference, dense_window(c.height, c.width, c.radius));
  const auto copied = at::bmm(dense, values.flatten(1).unsqueeze(-1)).view_as(values);
  (copied * weight).sum().backward();

  const auto own_values = values.to(device());
  const auto expect_dense_gradients = [&](const auto& rebuild) {
    const auto own_target = leaf(target), own_reference = leaf(reference);
    const at::Tensor own = rebuild(own_target, own_reference);
    (own * weight.to(device())).sum().backward();
    EXPECT_TRUE(close(own, copied, 1e-12, 1e-13));
    EXPECT_TRUE(close(own_target.grad(), target.grad(), 1e-10, 1e-12));
    EXPECT_TRUE(close(own_reference.grad(), reference.grad(), 1e-10, 1e-12));
  };
  expect_dense_gradients([&](const at::Tensor& own_target, const at::Tensor& own_reference) {
    const auto map = tiled_correlation(own_target, own_reference, shape()).map;
    const auto keys = tile_keys(own_values, shape()).unsqueeze(-1);
    return untile_queries(at::matmul(map, keys).squeeze(-1), c.tile, {c.height, c.width});
  });
  if (c.tile % 2 != 0 || c.radius % 2 != 0) return;
  expect_dense_gradients([&](const at::Tensor& own_target, const at::Tensor& own_reference) {
    return tiled_reconstruction(own_target, own_reference, own_values, shape(), false).values;
  });
}

INSTANTIATE_TEST_SUITE_P(Sizes,
                         TiledCorrelation,
                         testing::Combine(test::kDevices,
                                          testing::Values(Case{1, 3, 4, 4, 4, 1},
                                                          Case{2, 5, 8, 12, 4, 2},
                                                          Case{3, 5, 8, 12, 4, 2, 2},
                                                          Case{5, 2, 12, 8, 4, 6, 5},
                                                          Case{1, 4, 8, 8, 8, 4},
                                                          Case{2, 3, 16, 8, 8, 2},
                                                          Case{3, 3, 16, 8, 8, 2, 3},
                                                          Case{1, 1, 3, 6, 3, 5})),
                         test::device_name);

// On a GPU a call is a launch that the host pays for: with all samples at a time their number is
// that of one sample.
class TiledReconstruction : public test::OnDevice {};

TEST_P(TiledReconstruction, CallsDoNotGrowWithTheBatch) {
  const auto calls = [this](std::int64_t batch) {
    const TileShape shape{4, 6, batch};
    const auto target = at::randn({batch, 3, 16, 16}, device()).requires_grad_();
    const auto reference = at::randn({batch, 3, 16, 16}, device()).requires_grad_();
    const auto values = at::randn({batch, 16, 16}, device());
    return test::calls_of([&] {
             const auto fused = tiled_reconstruction(target, reference, values, shape, true);
             const auto map = tiled_correlation(target, reference, shape).map;
             (fused.values.sum() + map.square().sum()).backward();
           })
        .count();
  };
  calls(1);  // makes the masks, once
  const auto one = calls(1);
  EXPECT_GT(one, 0);
  EXPECT_EQ(calls(7), one);
}

TEST_P(TiledReconstruction, PooledMapIsTheMeanOverTwoByTwoQueriesAndKeys) {
  const std::int64_t n = 16, radius = 4;
  const auto target = at::randn({1, 6, n, n}, at::kDouble),
             reference = at::randn({1, 6, n, n}, at::kDouble);
  const auto values = at::zeros({1, n, n}, at::kDouble);
  const auto pooled =
      tiled_reconstruction(leaf(target), leaf(reference), leaf(values), {8, radius}, true)
          .pooled.cpu();
  const auto fine = dense_correlation(target, reference, dense_window(n, n, radius))
                        .view({n / 2, 2, n / 2, 2, n / 2, 2, n / 2, 2});
  const auto expected = fine.mean({1, 3, 5, 7}).view({1, n * n / 4, n * n / 4});
  // The pooled window is exactly the coarse one: laid out as the coarse level's tiles, nothing is
  // lost.
  EXPECT_TRUE(
      at::allclose(dense_of(pooled, {1, 6, n / 2, n / 2, 4, radius / 2}), expected, 1e-12, 1e-14));
  EXPECT_NEAR(pooled.sum(-1).min().item<double>(), 0.25, 1e-12);
  EXPECT_NEAR(pooled.sum(-1).max().item<double>(), 0.25, 1e-12);
}

INSTANTIATE_TEST_SUITE_P(, TiledReconstruction, test::kDevices, test::device_name);

}  // namespace
}  // namespace stc::models
