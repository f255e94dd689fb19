#include "models/arithmetic_flags.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "monitoring/check.h"

namespace stc::models {
namespace {

TEST(ArithmeticFlags, Float32MeansFloat32UnlessTf32IsAskedFor) {
  const auto& context = at::globalContext();
  apply_arithmetic_flags({});
  EXPECT_FALSE(context.allowTF32CuDNN());
  EXPECT_FALSE(context.allowTF32CuBLAS());
  apply_arithmetic_flags({.tf32 = true});
  EXPECT_TRUE(context.allowTF32CuDNN());
  EXPECT_TRUE(context.allowTF32CuBLAS());
  apply_arithmetic_flags({});
  EXPECT_FALSE(context.allowTF32CuDNN());
  EXPECT_FALSE(context.allowTF32CuBLAS());
}

TEST(ArithmeticFlags, DeterminismExcludesAutotune) {
  const auto& context = at::globalContext();
  {
    const ScopedArithmeticFlags scope({.deterministic = true, .autotune = true});
    EXPECT_TRUE(context.deterministicAlgorithms());
    EXPECT_TRUE(context.deterministicCuDNN());
    EXPECT_FALSE(context.benchmarkCuDNN());
    const ScopedArithmeticFlags within({.autotune = true});
    EXPECT_FALSE(context.deterministicAlgorithms());
    EXPECT_TRUE(context.benchmarkCuDNN());
  }
  EXPECT_FALSE(context.deterministicAlgorithms());
  EXPECT_FALSE(context.deterministicCuDNN());
  EXPECT_FALSE(context.benchmarkCuDNN());
}

// On the CPU, where a training repeats its bits anyway, nothing may change them.
TEST(ArithmeticFlags, ChangeNoBitOnTheCpu) {
  at::manual_seed(0);
  const auto maps = at::randn({2, 8, 20, 20}), weights = at::randn({16, 8, 3, 3});
  const auto a = at::randn({50, 70}), b = at::randn({70, 30});
  const auto index = at::randint(0, 50, {200}, at::kLong);
  const auto answers = [&] {
    auto rows = a.detach().clone().requires_grad_();
    rows.index_select(0, index).square().sum().backward();
    return std::vector{at::conv2d(maps, weights), at::mm(a, b), rows.grad()};
  };
  const auto plain = answers();
  for (const ArithmeticFlags& flags :
       {ArithmeticFlags{.tf32 = true}, ArithmeticFlags{.deterministic = true}}) {
    const ScopedArithmeticFlags scope(flags);
    const auto other = answers();
    for (std::size_t i = 0; i < plain.size(); ++i) EXPECT_TRUE(at::equal(plain[i], other[i])) << i;
  }
}

TEST(ArithmeticFlags, CublasWorkspaceIsSetButNotOverridden) {
  ::unsetenv("CUBLAS_WORKSPACE_CONFIG");
  fix_cublas_workspace();
  EXPECT_STREQ(std::getenv("CUBLAS_WORKSPACE_CONFIG"), ":4096:8");
  fix_cublas_workspace();
  ::setenv("CUBLAS_WORKSPACE_CONFIG", ":0:0", 1);
  try {
    fix_cublas_workspace();
    FAIL() << "accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kUsage);
    EXPECT_NE(std::string(error.what()).find("sets CUBLAS_WORKSPACE_CONFIG to ':0:0'; unset it"),
              std::string::npos)
        << error.what();
  }
  ::unsetenv("CUBLAS_WORKSPACE_CONFIG");
}

// The error is the one that ATen itself throws.
TEST(ArithmeticFlags, AnOperatorWithoutADeterministicFormIsNamed) {
  const ScopedArithmeticFlags scope({.deterministic = true});
  try {
    at::globalContext().alertNotDeterministic("upsample_bilinear2d_backward_out_cuda");
    FAIL() << "accepted";
  } catch (const std::exception& error) {
    EXPECT_EQ(unrepeatable_operator(error.what()), "upsample_bilinear2d_backward_out_cuda");
  }
  EXPECT_EQ(unrepeatable_operator("out of memory"), std::nullopt);
}

}  // namespace
}  // namespace stc::models
