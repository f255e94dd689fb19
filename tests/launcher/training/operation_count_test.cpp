#include "launcher/training/operation_count.h"

#include <ATen/ATen.h>
#include <ATen/ThreadLocalState.h>
#include <gtest/gtest.h>

#include <functional>
#include <thread>

namespace stc::launcher {
namespace {

Operations of(const std::function<void()>& work) {
  const OperationCount count(at::kCPU);
  work();
  return count.so_far();
}

// 2 images, 3 channels to 4, filter 3x3 with stride 2 and padding 1: 8x6 cells become 4x3.
constexpr double kConvolution = 2.0 * (2 * 4 * 4 * 3) * (3 * 3 * 3);

at::Tensor images() { return at::rand({2, 3, 8, 6}); }
at::Tensor filter() { return at::rand({4, 3, 3, 3}); }
at::Tensor convolved(const at::Tensor& images, const at::Tensor& filter) {
  return at::conv2d(images, filter, /*bias=*/{}, /*stride=*/2, /*padding=*/1);
}

TEST(OperationCount, OfAConvolutionIsTwoForEachOutputAndWeightOfItsFilter) {
  const auto x = images(), w = filter();
  EXPECT_EQ(of([&] { convolved(x, w); }).floating_point, kConvolution);
  const auto double_x = x.to(at::kDouble), double_w = w.to(at::kDouble);  // without oneDNN
  EXPECT_EQ(of([&] { convolved(double_x, double_w); }).floating_point, kConvolution);
}

TEST(OperationCount, OfAConvolutionWithGroupsAndDilation) {
  // 4 channels in 2 groups to 6; a 3x3 filter with dilation 2 leaves 4x4 of 8x8 cells.
  const auto x = at::rand({1, 4, 8, 8}), w = at::rand({6, 2, 3, 3});
  const auto seen = of([&] {
    at::convolution(x, w, {}, {1, 1}, {0, 0}, {2, 2}, false, {0, 0}, 2);
  });
  EXPECT_EQ(seen.floating_point, 2.0 * (6 * 4 * 4) * (2 * 3 * 3));
}

TEST(OperationCount, OfATransposedConvolutionIsTwoForEachInputAndWeightOfItsFilter) {
  const auto x = at::rand({2, 3, 5, 5}), w = at::rand({3, 4, 2, 2});
  const auto seen = of([&] { at::convolution(x, w, {}, {2, 2}, {0, 0}, {1, 1}, true, {0, 0}, 1); });
  EXPECT_EQ(seen.floating_point, 2.0 * (2 * 3 * 5 * 5) * (4 * 2 * 2));
}

TEST(OperationCount, OfItsBackwardIsOneForwardForEachGradientThatIsAskedFor) {
  const auto x = images().set_requires_grad(true), w = filter().set_requires_grad(true);
  const auto both = convolved(x, w).sum();
  EXPECT_EQ(of([&] { both.backward(); }).floating_point, 2 * kConvolution);
  const auto weight_alone = convolved(images(), w).sum();
  EXPECT_EQ(of([&] { weight_alone.backward(); }).floating_point, kConvolution);
}

TEST(OperationCount, OfProductsIsTwoForEachMultiplicationWhateverTheyAreCalled) {
  const auto a = at::rand({5, 7}), b = at::rand({7, 3}), c = at::rand({5, 3}), v = at::rand({7});
  const auto many_a = at::rand({4, 5, 7}), many_b = at::rand({4, 7, 3});
  const double one = 2 * 5 * 7 * 3;
  EXPECT_EQ(of([&] { at::mm(a, b); }).floating_point, one);
  EXPECT_EQ(of([&] { at::matmul(a, b); }).floating_point, one);
  EXPECT_EQ(of([&] { at::addmm(c, a, b); }).floating_point, one);
  EXPECT_EQ(of([&] { at::linear(a, b.t()); }).floating_point, one);
  EXPECT_EQ(of([&] { at::einsum("ik,kj->ij", {a, b}); }).floating_point, one);
  EXPECT_EQ(of([&] { at::bmm(many_a, many_b); }).floating_point, 4 * one);
  EXPECT_EQ(of([&] { at::matmul(many_a, many_b); }).floating_point, 4 * one);
  EXPECT_EQ(of([&] { at::baddbmm(c, many_a, many_b); }).floating_point, 4 * one);
  EXPECT_EQ(of([&] { at::mv(a, v); }).floating_point, 2 * 5 * 7);
  EXPECT_EQ(of([&] { at::dot(v, v); }).floating_point, 2 * 7);
}

TEST(OperationCount, OfAnythingElseIsNone) {
  const auto a = at::rand({5, 7});
  EXPECT_EQ(of([&] { (a + a).softmax(0).sum(); }).floating_point, 0);
}

TEST(OperationCount, CountsCallsAndTheHostsReads) {
  const auto a = at::rand({5});
  const auto seen = of([&] { at::neg(a); });
  EXPECT_EQ(seen.aten_calls, 1);
  EXPECT_EQ(seen.host_reads, 0);
  EXPECT_EQ(of([&] {
              for (int i = 0; i < 3; ++i) a.sum().item<float>();
            }).host_reads,
            3);
  EXPECT_GE(of([&] { at::linear(at::rand({2, 5}), at::rand({3, 5})); }).aten_calls, 4);
}

TEST(OperationCount, EndsWithItsObjectAndTheInnermostOneCounts) {
  const auto a = at::rand({2, 2});
  const OperationCount outer(at::kCPU);
  at::mm(a, a);
  const auto inner = of([&] { at::neg(a); });
  EXPECT_EQ(inner.aten_calls, 1);
  EXPECT_EQ(inner.floating_point, 0);
  at::mm(a, a);
  EXPECT_EQ(outer.so_far().floating_point, 32);
}

// As backward's threads of a GPU do.
TEST(OperationCount, CountsOnThreadsThatWorkForItsThreadAndOnNoOthers) {
  const auto a = at::rand({2, 2});
  const OperationCount count(at::kCPU);
  const at::ThreadLocalState state;
  std::thread([&] { at::mm(a, a); }).join();
  EXPECT_EQ(count.so_far().floating_point, 0);
  std::thread([&] {
    const at::ThreadLocalStateGuard as_its_thread(state);
    at::mm(a, a);
  }).join();
  EXPECT_EQ(count.so_far().floating_point, 16);
}

}  // namespace
}  // namespace stc::launcher
