#include "models/contrastive.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "models/spatial_model.h"

namespace stc::models {
namespace {

TEST(ContrastiveLoss, IsTheCrossEntropyOfTheTrueKeyByPlainLoops) {
  const auto query = at::randn({3, 4}, at::kDouble), key = at::randn({3, 4}, at::kDouble);
  const auto queue = KeyQueue::random(6, 4, 1).keys.to(at::kDouble);
  const auto unit = [](const at::Tensor& row) { return row / row.norm(); };
  double expected = 0;
  for (int i = 0; i < 3; ++i) {
    const double positive = std::exp(unit(query[i]).dot(unit(key[i])).item<double>() / 0.2);
    double all = positive;
    for (int j = 0; j < 6; ++j) all += std::exp(unit(query[i]).dot(queue[j]).item<double>() / 0.2);
    expected -= std::log(positive / all) / 3;
  }
  EXPECT_NEAR(contrastive_loss(query, key, queue, 0.2).loss.item<double>(), expected, 1e-12);
}

TEST(KeyQueue, WrapsAndKeepsTheNewestKeys) {
  auto queue = KeyQueue::random(5, 3, 1);
  const auto first = at::randn({3, 3}), second = at::randn({4, 3});
  queue.push(first);
  queue.push(second);
  EXPECT_EQ(queue.pointer, 2);
  const auto unit = second / second.norm(2, {1}, true);
  EXPECT_TRUE(at::allclose(queue.keys.narrow(0, 3, 2), unit.narrow(0, 0, 2)));
  EXPECT_TRUE(at::allclose(queue.keys.narrow(0, 0, 2), unit.narrow(0, 2, 2)));
}

KeyExchange identity_exchange(std::int64_t groups) {
  const auto same = [](const at::Tensor& rows) { return rows; };
  return {groups, same, same, 0};
}

TEST(SpatialModel, KeyEncoderFollowsTheQueryEncoderSlowly) {
  SpatialModel model(18, {8, 16, 0.9, 0.2}, 5);
  const auto images = at::randint(0, 256, {4, 3, 32, 32}, at::kByte);
  model.query.trunk.parameters()[0].second.detach().add_(1);
  const auto before = model.key.trunk.parameters()[0].second.clone();
  model.loss(images, images, identity_exchange(2));
  const auto moved = model.key.trunk.parameters()[0].second - before;
  EXPECT_TRUE(at::allclose(moved, at::full_like(moved, 0.1), 1e-4, 1e-5));
}

TEST(SpatialModel, MicroBatchesFillTheQueueAsOneLargeBatchDoes) {
  SpatialModel whole(18, {8, 16, 0.9, 0.2}, 5), parts(18, {8, 16, 0.9, 0.2}, 5);
  const auto images = at::randint(0, 256, {4, 3, 32, 32}, at::kByte);
  whole.query.trunk.parameters()[0].second.detach().add_(1);
  parts.query.trunk.parameters()[0].second.detach().add_(1);
  whole.loss(images, images, identity_exchange(2));
  whole.enqueue();
  for (const auto& part : images.chunk(2)) parts.loss(part, part, identity_exchange(1));
  parts.enqueue();
  EXPECT_TRUE(at::equal(parts.queue.keys, whole.queue.keys));
  EXPECT_EQ(parts.queue.pointer, whole.queue.pointer);
  EXPECT_TRUE(
      at::equal(parts.key.trunk.parameters()[0].second, whole.key.trunk.parameters()[0].second));
}

TEST(SpatialModel, StateRoundTripsAndOtherShapesAreRefused) {
  SpatialModel model(18, {8, 16, 0.9, 0.2}, 5), other(18, {8, 16, 0.9, 0.2}, 6);
  const auto images = at::randint(0, 256, {4, 3, 32, 32}, at::kByte);
  model.loss(images, images, identity_exchange(1));
  model.enqueue();
  other.load_method_state(model.method_state(), "test");
  EXPECT_EQ(other.queue.pointer, 4);
  EXPECT_TRUE(at::equal(other.queue.keys, model.queue.keys));
  SpatialModel larger(18, {8, 32, 0.9, 0.2}, 5);
  EXPECT_THROW(larger.load_method_state(model.method_state(), "test"), std::runtime_error);
}

}  // namespace
}  // namespace stc::models
