// Stored cases of an independent implementation (tests/golden/README.md).
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "data/weights/safetensors.h"
#include "tests/support/golden_folder.h"

namespace stc::test {

/// Paths of the stored cases whose names start with `prefix`; there is one at least.
inline std::vector<std::string> golden_cases(const std::string& prefix) {
  std::vector<std::string> cases;
  for (const auto& entry : std::filesystem::directory_iterator(golden_folder())) {
    if (entry.path().filename().string().starts_with(prefix)) cases.push_back(entry.path());
  }
  EXPECT_FALSE(cases.empty()) << golden_folder() << " holds no " << prefix;
  return cases;
}

/// The largest difference of two tensors; they must have equal shapes.
inline double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

}  // namespace stc::test
