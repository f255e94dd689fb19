#include "launcher/training/optimizer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "monitoring/check.h"
#include "tests/support/devices.h"

namespace stc::launcher {
namespace {

// Two numbers, so that the update can be written out by hand.
struct Numbers {
  explicit Numbers(at::Device device)
      : tensor(at::tensor({1.0, -2.0}, at::kDouble).to(device).requires_grad_()) {}
  at::Tensor tensor;
  models::NamedTensorList list() const { return {{"w", tensor}}; }
  void set_gradient(double g) {
    tensor.mutable_grad() = at::tensor({g, 2 * g}, at::kDouble).to(tensor.device());
  }
};

class OptimizerOn : public test::OnDevice {};

TEST_P(OptimizerOn, SgdIsMomentumWithDecayOnTheGradient) {
  Numbers numbers(device());
  Optimizer optimizer({OptimizerKind::kSgd, 0.9, 0.1}, numbers.list());
  double w = 1, momentum = 0;
  for (int step = 0; step < 4; ++step) {
    numbers.set_gradient(0.5 * step - 1);
    optimizer.step(0.2, optimizer.gradient_norm(), 0);
    momentum = 0.9 * momentum + (0.5 * step - 1 + 0.1 * w);
    w -= 0.2 * momentum;
    EXPECT_NEAR(numbers.tensor[0].item<double>(), w, 1e-14);
  }
}

TEST_P(OptimizerOn, AdamIsTheTextbookUpdate) {
  Numbers numbers(device());
  Optimizer optimizer({OptimizerKind::kAdam}, numbers.list());
  double w = 1, m = 0, v = 0;
  for (int step = 1; step <= 4; ++step) {
    const double g = 0.5 * step - 1.2;
    numbers.set_gradient(g);
    optimizer.step(0.01, optimizer.gradient_norm(), 0);
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    w -= 0.01 * (m / (1 - std::pow(0.9, step))) /
         (std::sqrt(v / (1 - std::pow(0.999, step))) + 1e-8);
    EXPECT_NEAR(numbers.tensor[0].item<double>(), w, 1e-12);
  }
}

TEST_P(OptimizerOn, GoesOnBitForBitFromItsState) {
  for (const auto kind : {OptimizerKind::kSgd, OptimizerKind::kAdam}) {
    Numbers whole(device()), halves(device());
    Optimizer first({kind, 0.9, 0.1}, whole.list()), second({kind, 0.9, 0.1}, halves.list());
    for (int step = 0; step < 6; ++step) {
      whole.set_gradient(step - 2.5);
      first.step(0.1, first.gradient_norm(), 0);
    }
    for (int step = 0; step < 3; ++step) {
      halves.set_gradient(step - 2.5);
      second.step(0.1, second.gradient_norm(), 0);
    }
    Optimizer third({kind, 0.9, 0.1}, halves.list());
    third.load(second.state(), "test");
    for (int step = 3; step < 6; ++step) {
      halves.set_gradient(step - 2.5);
      third.step(0.1, third.gradient_norm(), 0);
    }
    EXPECT_TRUE(at::equal(whole.tensor, halves.tensor));
  }
}

// SGD without momentum moves by the gradient as it is in the end.
Optimizer plain(const Numbers& numbers, bool scale_loss = false) {
  OptimizerOptions options{.kind = OptimizerKind::kSgd, .momentum = 0};
  options.scale_loss = scale_loss;
  return Optimizer(options, numbers.list());
}

TEST_P(OptimizerOn, ScalesLongGradientsToTheGivenNormAndLeavesShortOnes) {
  for (const double most : {10.0, 0.5}) {
    Numbers numbers(device());
    auto optimizer = plain(numbers);
    numbers.set_gradient(3);  // (3, 6)
    const auto norm = optimizer.gradient_norm();
    EXPECT_NEAR(norm.item<double>(), std::sqrt(45), 1e-12);
    optimizer.step(1, norm, most);
    const double length = most > 7 ? 1 : 0.5 / std::sqrt(45);
    EXPECT_NEAR(numbers.tensor[0].item<double>(), 1 - 3 * length, 1e-12);
    EXPECT_NEAR(numbers.tensor[1].item<double>(), -2 - 6 * length, 1e-12);
  }
}

TEST_P(OptimizerOn, TakesTheLosssScaleOutAndKeepsItInItsState) {
  Numbers numbers(device());
  auto optimizer = plain(numbers, true), resumed = plain(numbers, true);
  optimizer.scaler.update(leaf(at::zeros({}, at::kDouble)));
  const double scale = optimizer.scaler.scale().item<double>();
  numbers.set_gradient(3 * scale);
  const auto norm = optimizer.gradient_norm();
  EXPECT_NEAR(norm.item<double>(), std::sqrt(45), 1e-12);
  resumed.load(optimizer.state(), "test");
  EXPECT_EQ(resumed.scaler.scale().item<double>(), scale);
  EXPECT_EQ(resumed.scaler.skipped().item<double>(), 1);
  optimizer.step(1, norm, 0);
  EXPECT_EQ(numbers.tensor[0].item<double>(), 1 - 3);
}

// All that an optimizer holds, and the parameter.
std::vector<at::Tensor> everything(const Optimizer& optimizer, const Numbers& numbers) {
  std::vector<at::Tensor> all{numbers.tensor.detach().clone()};
  for (const auto& [name, value] : optimizer.state()) all.push_back(value.clone());
  return all;
}

bool all_equal(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return at::equal(x, y);
  });
}

TEST_P(OptimizerOn, LeavesAllAsItWasFromTheFirstStepOnThatIsNotFinite) {
  for (const auto kind : {OptimizerKind::kSgd, OptimizerKind::kAdam}) {
    Numbers numbers(device());
    Optimizer optimizer({kind}, numbers.list());
    numbers.set_gradient(3);
    optimizer.step(0.1, optimizer.gradient_norm(), 1);
    const auto before = everything(optimizer, numbers);
    EXPECT_FALSE(at::equal(before[0].cpu(), at::tensor({1.0, -2.0}, at::kDouble)));
    for (const double gradient : {double{NAN}, double{INFINITY}, 3.0}) {
      numbers.set_gradient(gradient);
      optimizer.step(0.1, optimizer.gradient_norm(), 1);
      EXPECT_TRUE(all_equal(everything(optimizer, numbers), before)) << gradient;
    }
  }
}

TEST_P(OptimizerOn, WithAScaledLossOneSkippedStepDoesNotStopTheNext) {
  Numbers numbers(device());
  auto optimizer = plain(numbers, true);
  const auto start = numbers.tensor.detach().clone();
  numbers.set_gradient(INFINITY);
  optimizer.step(0.1, optimizer.gradient_norm(), 0);
  EXPECT_TRUE(at::equal(numbers.tensor, start));
  numbers.set_gradient(3);
  optimizer.step(0.1, optimizer.gradient_norm(), 0);
  EXPECT_FALSE(at::equal(numbers.tensor, start));
}

TEST_P(OptimizerOn, NamesTheParameterWithoutAGradient) {
  Numbers numbers(device());
  Optimizer optimizer({}, numbers.list());
  EXPECT_THROW(optimizer.step(0.1, at::zeros({}, at::kDouble), 0), Error);
}

INSTANTIATE_TEST_SUITE_P(, OptimizerOn, test::kDevices, test::device_name);

}  // namespace
}  // namespace stc::launcher
