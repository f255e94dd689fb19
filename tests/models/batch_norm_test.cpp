#include "models/batch_norm.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "tests/support/devices.h"
#include "tests/support/ranks_in_turn.h"

namespace stc::models {
namespace {

struct Layer {
  at::Tensor weight, bias, mean, variance, count;
  explicit Layer(std::int64_t channels)
      : weight(at::linspace(0.5, 2, channels, at::kDouble).requires_grad_()),
        bias(at::linspace(-1, 1, channels, at::kDouble).requires_grad_()),
        mean(at::zeros({channels}, at::kDouble)),
        variance(at::ones({channels}, at::kDouble)),
        count(at::zeros({}, at::kLong)) {}
  BatchNorm norm() const { return {weight, bias, mean, variance, count}; }
};

at::Tensor weighted(const at::Tensor& y, const at::Tensor& share) {
  return (y * y * share).sum() + (y * share).sum();
}

class SyncBatchNormOverRanks : public testing::TestWithParam<int> {};

TEST_P(SyncBatchNormOverRanks, EqualsOneRankOnTheUnion) {
  const int ranks = GetParam();
  const auto x = at::randn({2 * ranks, 3, 4, 5}, at::kDouble) * 3 + 7;
  const auto share = at::rand({2 * ranks, 3, 4, 5}, at::kDouble);

  Layer whole(3);
  const auto all = x.clone().requires_grad_();
  const auto out = batch_norm(all, whole.norm(), BatchNormMode::kTrain, {});
  weighted(out, share).backward();

  std::vector<at::Tensor> outputs(ranks), inputs(ranks);
  std::vector<std::unique_ptr<Layer>> layers(ranks);
  test::run_with_sum(ranks, [&](const OverRanks& own) {
    const int rank = own.rank;
    layers[rank] = std::make_unique<Layer>(3);
    inputs[rank] = x.narrow(0, 2 * rank, 2).clone().requires_grad_();
    outputs[rank] = batch_norm(inputs[rank], layers[rank]->norm(), BatchNormMode::kTrain, own);
    weighted(outputs[rank], share.narrow(0, 2 * rank, 2)).backward();
  });

  auto grad_weight = at::zeros_like(whole.weight), grad_bias = at::zeros_like(whole.bias);
  for (int rank = 0; rank < ranks; ++rank) {
    EXPECT_TRUE(at::allclose(outputs[rank], out.narrow(0, 2 * rank, 2), 1e-11, 1e-11));
    EXPECT_TRUE(at::allclose(inputs[rank].grad(), all.grad().narrow(0, 2 * rank, 2), 1e-10, 1e-10));
    EXPECT_TRUE(at::allclose(layers[rank]->mean, whole.mean, 1e-12, 1e-12));
    EXPECT_TRUE(at::allclose(layers[rank]->variance, whole.variance, 1e-12, 1e-12));
    grad_weight += layers[rank]->weight.grad();
    grad_bias += layers[rank]->bias.grad();
  }
  EXPECT_TRUE(at::allclose(grad_weight, whole.weight.grad(), 1e-11, 1e-11));
  EXPECT_TRUE(at::allclose(grad_bias, whole.bias.grad(), 1e-11, 1e-11));
}

// The same in float, as a run computes it: forward, backward and running statistics of two ranks
// beside one rank on the union in double. Values far from 0 make the variance a small
// difference.
TEST(SyncBatchNorm, InFloatOnTwoRanksIsNearOneRankInDouble) {
  const auto x = at::randn({8, 6, 9, 7}, at::kDouble) * 3 + 40;
  const auto share = at::rand({8, 6, 9, 7}, at::kDouble);
  Layer whole(6);
  const auto all = x.clone().requires_grad_();
  const auto out = batch_norm(all, whole.norm(), BatchNormMode::kTrain, {});
  weighted(out, share).backward();

  std::vector<at::Tensor> outputs(2), inputs(2), means(2), variances(2), weights(2);
  test::run_with_sum(2, [&](const OverRanks& own) {
    const int rank = own.rank;
    const Layer layer(6);
    const auto to_float = [](const at::Tensor& t) { return t.detach().to(at::kFloat); };
    const BatchNorm norm{to_float(layer.weight).requires_grad_(),
                         to_float(layer.bias).requires_grad_(),
                         to_float(layer.mean),
                         to_float(layer.variance),
                         layer.count};
    inputs[rank] = to_float(x.narrow(0, 4 * rank, 4)).requires_grad_();
    outputs[rank] = batch_norm(inputs[rank], norm, BatchNormMode::kTrain, own);
    weighted(outputs[rank], to_float(share.narrow(0, 4 * rank, 4))).backward();
    means[rank] = norm.running_mean;
    variances[rank] = norm.running_var;
    weights[rank] = norm.weight.grad();
  });
  const auto error = [](const at::Tensor& got, const at::Tensor& expected) {
    return ((got.to(at::kDouble) - expected).abs().max() / expected.abs().max()).item<double>();
  };
  EXPECT_LT(error(at::cat(outputs), out), 1e-4);
  EXPECT_LT(error(at::cat({inputs[0].grad(), inputs[1].grad()}), all.grad()), 1e-3);
  EXPECT_LT(error(weights[0].to(at::kDouble) + weights[1].to(at::kDouble), whole.weight.grad()),
            1e-4);
  for (int rank = 0; rank < 2; ++rank) {
    EXPECT_LT(error(means[rank], whole.mean), 1e-6);
    EXPECT_LT(error(variances[rank], whole.variance), 1e-4);
  }
}

// A GPU's form beside the CPU's, which is held to one rank on the union: both memory formats, and
// maps of one cell.
TEST(SyncBatchNorm, OnAGpuEqualsTheCpus) {
  if (!at::hasCUDA()) GTEST_SKIP() << test::missing_gpu();
  for (const auto& shape : {std::vector<std::int64_t>{4, 8, 6, 5}, {4, 8, 1, 1}}) {
    for (const auto format : {at::MemoryFormat::Contiguous, at::MemoryFormat::ChannelsLast}) {
      const auto x = at::randn(shape) * 3 + 7, share = at::rand(shape);
      std::vector<at::Tensor> answers[2];
      for (const at::Device device : {at::Device(at::kCPU), at::Device(at::kCUDA, 0)}) {
        std::vector<std::vector<at::Tensor>> own(2);
        test::run_with_sum(2, [&](const OverRanks& ranks) {
          auto norm = BatchNorm::initial(8, 1.5);
          for (auto* tensor : {&norm.weight, &norm.bias, &norm.running_mean, &norm.running_var})
            *tensor = tensor->to(device);
          norm.weight.requires_grad_();
          norm.bias.requires_grad_();
          const auto half = [&](const at::Tensor& t) {
            return t.narrow(0, 2 * ranks.rank, 2).to(device).contiguous(format);
          };
          const auto input = half(x).requires_grad_();
          const auto out = batch_norm(input, norm, BatchNormMode::kTrain, ranks);
          weighted(out, half(share)).backward();
          own[ranks.rank] = {out.detach(),
                             input.grad(),
                             norm.weight.grad(),
                             norm.bias.grad(),
                             norm.running_mean,
                             norm.running_var};
        });
        for (const auto& tensors : own) {
          for (const auto& tensor : tensors)
            answers[device.is_cpu() ? 0 : 1].push_back(tensor.cpu().contiguous());
        }
      }
      ASSERT_EQ(answers[0].size(), answers[1].size());
      for (std::size_t i = 0; i < answers[0].size(); ++i)
        EXPECT_TRUE(at::allclose(answers[1][i], answers[0][i], 1e-4, 1e-4)) << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Worlds, SyncBatchNormOverRanks, testing::Values(1, 2, 3, 4));

TEST(BatchNorm, EvaluationUsesTheRunningStatistics) {
  Layer layer(2);
  layer.mean.fill_(3);
  layer.variance.fill_(4);
  const auto x = at::randn({2, 2, 3, 3}, at::kDouble);
  const auto y = batch_norm(x, layer.norm(), BatchNormMode::kEval, {});
  const auto expected = (x - 3) / std::sqrt(4 + 1e-5) * layer.weight.view({1, 2, 1, 1}) +
                        layer.bias.view({1, 2, 1, 1});
  EXPECT_TRUE(at::allclose(y, expected, 1e-12, 1e-12));
  EXPECT_EQ(layer.count.item<std::int64_t>(), 0);
}

}  // namespace
}  // namespace stc::models
