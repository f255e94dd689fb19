#include "models/resnet.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "monitoring/check.h"
#include "tests/support/devices.h"

namespace stc::models {
namespace {

TEST(ResNet, HasTorchvisionsNamesAndParameterCounts) {
  const auto count = [](const ResNet& net) {
    std::int64_t all = 0;
    for (const auto& [name, value] : net.parameters()) all += value.numel();
    return all;
  };
  // torchvision's totals less the classifier's 513,000 and 2,049,000.
  EXPECT_EQ(count(ResNet(standard_options(18), 0)), 11689512 - 513000);
  const ResNet deep(standard_options(50), 0);
  EXPECT_EQ(count(deep), 25557032 - 2049000);
  EXPECT_EQ(deep.parameters().front().first, "conv1.weight");
  EXPECT_EQ(deep.parameters().back().first, "layer4.2.bn3.bias");
  EXPECT_TRUE(deep.state().contains("layer1.0.downsample.1.running_mean"));
}

TEST(ResNet, StudentLevelsHaveTheSpecifiedSizes) {
  const ResNet net(student_options(18), 0);
  const auto levels = net.forward(at::randn({1, 3, 64, 64}), 2, 4, BatchNormMode::kEval);
  EXPECT_EQ(levels[0].sizes(), (std::vector<std::int64_t>{1, 128, 16, 16}));
  EXPECT_EQ(levels[1].sizes(), (std::vector<std::int64_t>{1, 256, 8, 8}));
  EXPECT_EQ(levels[2].sizes(), (std::vector<std::int64_t>{1, 512, 2, 2}));
  for (const auto& level : levels) EXPECT_GE(level.min().item<float>(), 0);
}

TEST(ResNet, PropagationStridesAreEightAndFour) {
  const auto x = at::randn({1, 3, 48, 86});
  const auto at_stride = [&](int stride) {
    return ResNet(propagation_options(18, stride), 0).forward(x, 3, 3, BatchNormMode::kEval)[0];
  };
  EXPECT_EQ(at_stride(8).sizes(), (std::vector<std::int64_t>{1, 256, 6, 11}));
  EXPECT_EQ(at_stride(4).sizes(), (std::vector<std::int64_t>{1, 256, 12, 22}));
}

TEST(ResNet, SeedDecidesTheWeights) {
  const ResNet a(standard_options(18), 1), b(standard_options(18), 1), c(standard_options(18), 2);
  EXPECT_TRUE(at::equal(a.parameters()[0].second, b.parameters()[0].second));
  EXPECT_FALSE(at::equal(a.parameters()[0].second, c.parameters()[0].second));
}

TEST(ResNet, LoadNamesWhatDoesNotFit) {
  const auto expect_error = [](const std::map<std::string, at::Tensor>& weights,
                               const std::string& part) {
    ResNet net(standard_options(18), 0);
    try {
      net.load(weights, "w.safetensors");
      FAIL() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::kBadData);
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  const auto whole = ResNet(standard_options(18), 1).state();
  auto missing = whole;
  missing.erase("layer2.0.bn1.bias");
  expect_error(missing, "'layer2.0.bn1.bias' is missing; expected [128] for a ResNet-18");
  auto foreign = whole;
  foreign["other"] = at::zeros({1});
  expect_error(foreign, "'other' is not a tensor of a ResNet-18");
  expect_error(ResNet(standard_options(50), 1).state(), "ResNet-18");
}

// A network's output and the gradient of its first weight.
struct Answer {
  at::Tensor top, gradient;
};

Answer answer_of(const Arithmetic& arithmetic,
                 const OverRanks& ranks,
                 at::Device device,
                 at::ScalarType dtype = at::kFloat) {
  ResNet net(standard_options(18), 3);
  net.to(device, dtype);
  net.set_requires_grad(true);
  net.set_arithmetic(arithmetic);
  at::manual_seed(0);
  const auto images = at::randn({4, 3, 64, 64}).to(device, dtype);
  const auto top = net.forward(images, 3, 3, BatchNormMode::kTrain, ranks)[0];
  const auto share = at::sin(at::arange(top.numel(), at::kDouble) * 0.11).to(device, dtype);
  (top * share.reshape(top.sizes())).mean().backward();
  return {top.detach().cpu(), net.parameters()[0].second.grad().cpu()};
}

double difference(const at::Tensor& a, const at::Tensor& b) {
  return ((a - b).norm() / b.norm()).item<double>();
}

class ResNetOn : public test::OnDevice {};

TEST_P(ResNetOn, IsTheCpusInDoubleAndNearItInFloat) {
  const OverRanks none, alone{0, 1, [](const at::Tensor&) {}};
  for (const auto& ranks : {none, alone}) {
    const auto expected = answer_of({}, ranks, at::kCPU, at::kDouble);
    const auto own = answer_of({}, ranks, device(), at::kDouble);
    EXPECT_LT(difference(own.top, expected.top), 1e-12);
    EXPECT_LT(difference(own.gradient, expected.gradient), 1e-11);
    const auto narrow = answer_of({}, ranks, device());
    EXPECT_LT(difference(narrow.top, expected.top.to(at::kFloat)), 1e-4);
    EXPECT_LT(difference(narrow.gradient, expected.gradient.to(at::kFloat)), 1e-2);
  }
}

// torch.autocast's own differences for this net and such input are 0.026 and 0.30: the gradient of
// the first convolution has come through everything.
TEST_P(ResNetOn, ShorterArithmeticStaysNearAndGivesFloat) {
  const OverRanks none, alone{0, 1, [](const at::Tensor&) {}};
  for (const auto& ranks : {none, alone}) {
    const auto exact = answer_of({}, ranks, device());
    const auto rounded = answer_of({at::kBFloat16, false}, ranks, device());
    EXPECT_EQ(rounded.top.scalar_type(), at::kFloat);
    EXPECT_EQ(rounded.gradient.scalar_type(), at::kFloat);
    EXPECT_LT(difference(rounded.top, exact.top), 0.05);
    EXPECT_LT(difference(rounded.gradient, exact.gradient), 0.5);
    EXPECT_FALSE(at::equal(rounded.top, exact.top));  // it was really computed in less
  }
}

TEST_P(ResNetOn, MemoryFormatChangesTheOrderOfSumsAlone) {
  const OverRanks none, alone{0, 1, [](const at::Tensor&) {}};
  for (const auto& ranks : {none, alone}) {
    const auto exact = answer_of({}, ranks, device());
    const auto other = answer_of({std::nullopt, true}, ranks, device());
    EXPECT_LT(difference(other.top, exact.top), 1e-5);
    EXPECT_LT(difference(other.gradient, exact.gradient), 1e-3);
  }
}

INSTANTIATE_TEST_SUITE_P(, ResNetOn, test::kDevices, test::device_name);

TEST(ResNet, DepthIsReadOffTheNames) {
  EXPECT_EQ(depth_of(ResNet(standard_options(18), 0).state(), "w"), 18);
  EXPECT_EQ(depth_of(ResNet(standard_options(50), 0).state(), "w"), 50);
  EXPECT_THROW(depth_of({{"x", at::zeros({1})}}, "w"), Error);
}

}  // namespace
}  // namespace stc::models
