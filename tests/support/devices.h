// The devices that a test runs on: the CPU, and a GPU, without which the test is skipped and says
// why.
//
//   class Losses : public test::OnDevice {};
//   TEST_P(Losses, AreThoseOfDenseMaps) { ... at::randn(...).to(device()) ... }
//   INSTANTIATE_TEST_SUITE_P(, Losses, test::kDevices, test::device_name);
//
// The names end in cpu or cuda: scripts/gpu-check.sh runs --gtest_filter=*/cuda*.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <type_traits>

namespace stc::test {

inline const auto kDevices = testing::Values(at::kCPU, at::kCUDA);

/// Why tests of a GPU cannot run here; empty if they can.
inline std::string missing_gpu() {
  if (at::hasCUDA()) return "";
  return at::detail::getCUDAHooks().compiledWithCuDNN()
             ? "no GPU: this machine has no driver or no GPU"
             : "no GPU: this build has no CUDA; build the preset `cuda`";
}

/// A parametrised test over kDevices, or over testing::Combine(kDevices, ...) with one more.
template <typename Parameter>
class OnDeviceWith : public testing::TestWithParam<Parameter> {
 protected:
  void SetUp() override {
    if (device().is_cpu()) return;
    if (const auto reason = missing_gpu(); !reason.empty()) GTEST_SKIP() << reason;
    // float32 in convolutions and products, not TF32.
    at::globalContext().setAllowTF32CuDNN(false);
    at::globalContext().setAllowTF32CuBLAS(false);
  }

  at::Device device() const {
    if constexpr (std::is_same_v<Parameter, at::DeviceType>) {
      return this->GetParam();
    } else {
      return std::get<0>(this->GetParam());
    }
  }

  /// A leaf of its own on the device, with the same values.
  at::Tensor leaf(const at::Tensor& value) const {
    return value.detach()
        .to(device(), value.scalar_type(), /*non_blocking=*/false, /*copy=*/true)
        .requires_grad_(value.requires_grad());
  }
};

using OnDevice = OnDeviceWith<at::DeviceType>;
template <typename Parameter>
using OnDeviceAnd = OnDeviceWith<std::tuple<at::DeviceType, Parameter>>;

/// "cuda", or "cuda_3" for the third of several parameters.
struct DeviceName {
  template <typename Parameter>
  std::string operator()(const testing::TestParamInfo<Parameter>& test) const {
    const auto word = [](at::DeviceType type) { return c10::DeviceTypeName(type, true); };
    if constexpr (std::is_same_v<Parameter, at::DeviceType>) {
      return word(test.param);
    } else {
      return word(std::get<0>(test.param)) + "_" + std::to_string(test.index);
    }
  }
};
inline constexpr DeviceName device_name{};

/// Equal but for rounding, whatever the devices: |own - expected| <= absolute + relative *
/// |expected|.
inline testing::AssertionResult close(const at::Tensor& own,
                                      const at::Tensor& expected,
                                      double relative,
                                      double absolute) {
  const auto a = own.detach().cpu(), b = expected.detach().cpu();
  if (a.sizes() != b.sizes())
    return testing::AssertionFailure() << a.sizes() << " instead of " << b.sizes();
  if (at::allclose(a, b, relative, absolute)) return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << "the largest difference is " << (a - b).abs().max().item<double>();
}

}  // namespace stc::test
