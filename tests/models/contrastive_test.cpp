#include "models/contrastive.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "models/spatial_model.h"
#include "tests/support/devices.h"

namespace stc::models {
namespace {

class ContrastiveLossOn : public test::OnDevice {};

TEST_P(ContrastiveLossOn, IsTheCrossEntropyOfTheTrueKeyByPlainLoops) {
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
  const auto own = contrastive_loss(leaf(query), leaf(key), leaf(queue), 0.2).loss;
  EXPECT_NEAR(own.item<double>(), expected, 1e-12);
}

TEST_P(ContrastiveLossOn, GradientIsTheCpus) {
  const auto query = at::randn({3, 4}, at::kDouble).requires_grad_();
  const auto key = at::randn({3, 4}, at::kDouble);
  const auto queue = KeyQueue::random(6, 4, 1).keys.to(at::kDouble);
  contrastive_loss(query, key, queue, 0.2).loss.backward();
  const auto own = leaf(query);
  contrastive_loss(own, leaf(key), leaf(queue), 0.2).loss.backward();
  EXPECT_TRUE(test::close(own.grad(), query.grad(), 1e-12, 1e-13));
}

INSTANTIATE_TEST_SUITE_P(, ContrastiveLossOn, test::kDevices, test::device_name);

class KeyQueueOn : public test::OnDevice {};

TEST_P(KeyQueueOn, WrapsAndKeepsTheNewestKeys) {
  auto queue = KeyQueue::random(5, 3, 1);
  queue.keys = queue.keys.to(device());
  const auto first = at::randn({3, 3}), second = at::randn({4, 3});
  queue.push(first.to(device()));
  queue.push(second.to(device()));
  EXPECT_EQ(queue.pointer, 2);
  const auto unit = second / second.norm(2, {1}, true);
  EXPECT_TRUE(test::close(queue.keys.narrow(0, 3, 2), unit.narrow(0, 0, 2), 1e-5, 1e-8));
  EXPECT_TRUE(test::close(queue.keys.narrow(0, 0, 2), unit.narrow(0, 2, 2), 1e-5, 1e-8));
}

INSTANTIATE_TEST_SUITE_P(, KeyQueueOn, test::kDevices, test::device_name);

KeyExchange identity_exchange(std::int64_t groups) {
  const auto same = [](const at::Tensor& rows) { return rows; };
  return {groups, same, same, 0};
}

class SpatialModelOn : public test::OnDevice {
 protected:
  SpatialModel model(std::uint64_t seed, std::int64_t queue_size = 16) const {
    SpatialModel made(18, {8, queue_size, 0.9, 0.2}, seed);
    made.to(device());
    return made;
  }
  at::Tensor images() const { return at::randint(0, 256, {4, 3, 32, 32}, at::kByte).to(device()); }
};

// In float32, through a network whose last batch norms see few values; another order of sums on the
// CPU (channels_last) differs by 1e-3.
TEST_P(SpatialModelOn, LossKeysAndGradientsAreTheCpus) {
  SpatialModel on_cpu(18, {8, 16, 0.9, 0.2}, 5), own = model(5);
  const auto query = images(), key = images();
  const auto expected = on_cpu.loss(query.cpu(), key.cpu(), identity_exchange(2));
  const auto result = own.loss(query, key, identity_exchange(2));
  EXPECT_TRUE(test::close(result.loss, expected.loss, 1e-3, 0));
  expected.loss.backward();
  result.loss.backward();
  on_cpu.enqueue();
  own.enqueue();
  EXPECT_TRUE(test::close(own.queue.keys, on_cpu.queue.keys, 0, 5e-3));
  EXPECT_EQ(own.queue.pointer, on_cpu.queue.pointer);
  const auto parameters = own.query.parameters();
  for (std::size_t p = 0; p < parameters.size(); ++p) {
    const auto gradient = on_cpu.query.parameters()[p].second.grad();
    const auto error = (parameters[p].second.grad().cpu() - gradient).norm().item<double>();
    EXPECT_LE(error, 1e-2 * gradient.norm().item<double>() + 1e-5) << parameters[p].first;
  }
}

TEST_P(SpatialModelOn, KeyEncoderFollowsTheQueryEncoderSlowly) {
  auto model = this->model(5);
  const auto images = this->images();
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

TEST_P(SpatialModelOn, StateRoundTripsAndOtherShapesAreRefused) {
  auto model = this->model(5), other = this->model(6);
  const auto images = this->images();
  model.loss(images, images, identity_exchange(1));
  model.enqueue();
  other.load_method_state(model.method_state(), "test");
  EXPECT_EQ(other.queue.pointer, 4);
  EXPECT_TRUE(at::equal(other.queue.keys, model.queue.keys));
  auto larger = this->model(5, 32);
  EXPECT_THROW(larger.load_method_state(model.method_state(), "test"), std::runtime_error);
}

INSTANTIATE_TEST_SUITE_P(, SpatialModelOn, test::kDevices, test::device_name);

}  // namespace
}  // namespace stc::models
