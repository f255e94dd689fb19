#include "launcher/checks/parity_rows.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "monitoring/check.h"
#include "tests/eval/golden_cases.h"
#include "tests/support/standin_device.h"

namespace stc::launcher {
namespace {

// The strip search and all that comes after it, as on a GPU.
TEST(ParityRows, OfLabelPropagationPassOnTheCpuAndBesideIt) {
  for (const at::Device device : {at::Device(at::kCPU), test::gpu_or_standin()}) {
    for (const auto& file : test::golden_cases("prop_")) {
      for (const auto dtype : {at::kFloat, at::kDouble}) {
        const auto rows = parity_rows(data::read_safetensors(file), file, device, dtype);
        ASSERT_FALSE(rows.empty());
        for (const auto& row : rows)
          EXPECT_TRUE(row.passes()) << device << ", " << file << ", " << row.tensor << ": "
                                    << row.error << " of " << row.tolerance;
      }
    }
  }
}

TEST(ParityRows, NameWhatACaseLacks) {
  const data::SafeTensors empty{{}, {{"kind", "propagation"}}};
  EXPECT_THROW(parity_rows(empty, "empty", at::kCPU, at::kFloat), Error);
  EXPECT_THROW(parity_rows({}, "nameless", at::kCPU, at::kFloat), Error);
}

}  // namespace
}  // namespace stc::launcher
