#include "models/upsampling.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "tests/support/devices.h"

namespace stc::models {
namespace {

// A value, and the gradient of its product with `share`.
struct Answer {
  at::Tensor value, gradient;
};

template <typename Upsampling>
Answer answer_of(const at::Tensor& maps, const at::Tensor& share, const Upsampling& upsampling) {
  const auto given = maps.detach().clone().requires_grad_();
  const auto value = upsampling(given);
  (value * share).sum().backward();
  return {value.detach(), given.grad()};
}

void expect_aten_s(const at::Tensor& maps, std::int64_t side, double tolerance) {
  const auto share = at::randn({maps.size(0), maps.size(1), side, side}, maps.options());
  const auto own =
      answer_of(maps, share, [&](const auto& m) { return upsample_bilinear(m, side); });
  const auto twin = answer_of(maps, share, [&](const auto& m) {
    return at::upsample_bilinear2d(m, {side, side}, false);
  });
  EXPECT_TRUE(at::equal(own.value, twin.value));
  EXPECT_EQ(own.gradient.sizes(), maps.sizes());
  EXPECT_LT((own.gradient - twin.gradient).abs().max().item<double>(),
            tolerance * twin.gradient.abs().max().item<double>())
      << maps.sizes() << " to " << side;
}

TEST(Upsampling, ValuesAndGradientsAreAtensOwn) {
  at::manual_seed(0);
  for (const std::int64_t side : {64, 40, 37, 16}) {
    expect_aten_s(at::randn({2, 1, 16, 16}, at::kDouble), side, 1e-12);
    expect_aten_s(at::randn({1, 3, 8, 13}, at::kDouble), side, 1e-12);
    expect_aten_s(at::randn({2, 1, 16, 16}), side, 1e-5);
  }
}

// As the reconstruction loss gives it: what comes back is a broadcast, without memory of its own.
TEST(Upsampling, TakesAGradientThatIsExpanded) {
  const auto maps = at::randn({2, 1, 4, 4}, at::kDouble).requires_grad_();
  upsample_bilinear(maps, 16).sum().backward();
  EXPECT_NEAR(maps.grad().sum().item<double>(), 2 * 16 * 16, 1e-10);
}

class UpsamplingOn : public test::OnDevice {};

TEST_P(UpsamplingOn, RepeatsItsGradientBitForBit) {
  at::manual_seed(0);
  const auto maps = at::randn({8, 1, 64, 64}, device()),
             share = at::randn({8, 1, 256, 256}, device());
  const auto gradient = [&] {
    return answer_of(maps, share, [](const auto& m) { return upsample_bilinear(m, 256); }).gradient;
  };
  const auto first = gradient();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(at::equal(gradient(), first));
}

INSTANTIATE_TEST_SUITE_P(, UpsamplingOn, test::kDevices, test::device_name);

}  // namespace
}  // namespace stc::models
