#include "launcher/training/optimizer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

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
    optimizer.step(0.2);
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
    optimizer.step(0.01);
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
      first.step(0.1);
    }
    for (int step = 0; step < 3; ++step) {
      halves.set_gradient(step - 2.5);
      second.step(0.1);
    }
    Optimizer third({kind, 0.9, 0.1}, halves.list());
    third.load(second.state(), "test");
    for (int step = 3; step < 6; ++step) {
      halves.set_gradient(step - 2.5);
      third.step(0.1);
    }
    EXPECT_TRUE(at::equal(whole.tensor, halves.tensor));
  }
}

TEST_P(OptimizerOn, ScalesLongGradientsToTheGivenNormAndLeavesShortOnes) {
  Numbers numbers(device());
  Optimizer optimizer({}, numbers.list());
  numbers.set_gradient(3);  // (3, 6)
  const double norm = optimizer.gradient_norm();
  EXPECT_NEAR(norm, std::sqrt(45), 1e-12);
  optimizer.finish_gradients(norm, 10);
  EXPECT_EQ(numbers.tensor.grad()[0].item<double>(), 3);
  optimizer.finish_gradients(norm, 0.5);
  EXPECT_NEAR(optimizer.gradient_norm(), 0.5, 1e-12);
  EXPECT_NEAR(numbers.tensor.grad()[0].item<double>(), 3 * 0.5 / norm, 1e-12);
}

TEST_P(OptimizerOn, TakesTheLosssScaleOutAndKeepsItInItsState) {
  OptimizerOptions options;
  options.scale_loss = true;
  Numbers numbers(device());
  Optimizer optimizer(options, numbers.list()), resumed(options, numbers.list());
  optimizer.scaler.update(false);
  numbers.set_gradient(3 * optimizer.scaler.scale());
  const double norm = optimizer.gradient_norm();
  EXPECT_NEAR(norm, std::sqrt(45), 1e-12);
  optimizer.finish_gradients(norm, 0);
  EXPECT_EQ(numbers.tensor.grad()[0].item<double>(), 3);
  resumed.load(optimizer.state(), "test");
  EXPECT_EQ(resumed.scaler.scale(), optimizer.scaler.scale());
  EXPECT_EQ(resumed.scaler.skipped(), 1);
}

TEST_P(OptimizerOn, NamesTheParameterWithoutAGradient) {
  Numbers numbers(device());
  Optimizer optimizer({}, numbers.list());
  EXPECT_THROW(optimizer.step(0.1), Error);
}

INSTANTIATE_TEST_SUITE_P(, OptimizerOn, test::kDevices, test::device_name);

}  // namespace
}  // namespace stc::launcher
