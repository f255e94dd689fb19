#include "models/spatial_model.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

namespace stc::models {
namespace {

constexpr SpatialOptions kSmall{.dimension = 8, .queue_size = 16, .momentum = 0.5};

KeyExchange alone() {
  KeyExchange exchange;
  exchange.shuffle = [](const at::Tensor& images) { return images; };
  exchange.collect = [](const at::Tensor& keys) { return keys; };
  return exchange;
}

// The loss of each step, with the query encoder moved between them.
std::vector<float> losses_of(SpatialModel& model, int steps) {
  std::vector<float> losses;
  at::manual_seed(0);
  for (int step = 0; step < steps; ++step) {
    const auto query = at::randint(0, 256, {4, 3, 32, 32}, at::kByte),
               key = at::randint(0, 256, {4, 3, 32, 32}, at::kByte);
    losses.push_back(model.loss(query, key, alone()).loss.item<float>());
    model.enqueue();
    const at::NoGradGuard no_grad;
    for (const auto& [name, value] : model.query.parameters()) value.mul_(1.01);
  }
  return losses;
}

// Its twin has copies of the weights that momentum moves, made again at every call.
TEST(SpatialModel, KeyEncodersShortWeightsFollowItsMomentum) {
  SpatialModel kept(18, kSmall, 1), twin(18, kSmall, 1);
  kept.set_arithmetic({at::kBFloat16, false});
  for (auto* trunk : {&twin.query.trunk, &twin.key.trunk})
    trunk->set_arithmetic({at::kBFloat16, false});
  EXPECT_EQ(losses_of(kept, 3), losses_of(twin, 3));
  SpatialModel resumed(18, kSmall, 2);
  resumed.set_arithmetic({at::kBFloat16, false});
  resumed.query.trunk.load(kept.query.trunk.state(), "a checkpoint");
  resumed.load_method_state(kept.method_state(), "a checkpoint");
  EXPECT_EQ(losses_of(resumed, 2), losses_of(kept, 2));
}

TEST(SpatialModel, KeyEncodersOwnWeightsStayFloat32) {
  SpatialModel model(18, kSmall, 1);
  model.set_arithmetic({at::kBFloat16, true});
  for (const auto& [name, value] : model.method_state())
    EXPECT_NE(value.scalar_type(), at::kBFloat16);
}

}  // namespace
}  // namespace stc::models
