#include "launcher/training/throughput.h"

#include <gtest/gtest.h>

namespace stc::launcher {
namespace {

TEST(Throughput, IsWorkOverSeconds) {
  const auto seen = throughput({.images = 32, .floating_point_operations = 4e12}, 0.5);
  EXPECT_DOUBLE_EQ(seen.images_per_second, 64);
  EXPECT_DOUBLE_EQ(seen.operations_per_second, 8e12);
  EXPECT_FALSE(seen.utilization);
}

TEST(Throughput, UtilizationIsTheShareOfThePeak) {
  const auto seen =
      throughput({.images = 1, .floating_point_operations = 4e12, .peak_per_second = 16e12}, 0.5);
  EXPECT_DOUBLE_EQ(*seen.utilization, 0.5);
}

TEST(ThroughputMeter, IsOverTheStepsSinceTheLastLookAndLeavesOutTheFirst) {
  ThroughputMeter meter(100);
  EXPECT_FALSE(meter.take());
  meter.add(8, std::nullopt, 60);
  EXPECT_FALSE(meter.take());
  meter.add(8, Operations{.floating_point = 50}, 1);
  meter.add(8, Operations{.floating_point = 50}, 3);
  const auto seen = meter.take();
  ASSERT_TRUE(seen);
  EXPECT_DOUBLE_EQ(seen->images_per_second, 4);
  EXPECT_DOUBLE_EQ(seen->operations_per_second, 25);
  EXPECT_DOUBLE_EQ(*seen->utilization, 0.25);
  EXPECT_FALSE(meter.take());
  meter.add(8, Operations{.floating_point = 50}, 1);
  EXPECT_DOUBLE_EQ(meter.take()->images_per_second, 8);
}

double tera(const char* gpu, const char* precision) {
  return peak_operations_per_second(gpu, precision).value_or(0) / 1e12;
}

TEST(PeakOperations, AreThoseOfTheCardAndTheNumberFormat) {
  EXPECT_DOUBLE_EQ(tera("NVIDIA H100 80GB HBM3, 79 GiB, sm_90", "bf16"), 989.4);
  EXPECT_DOUBLE_EQ(tera("NVIDIA H100 80GB HBM3, 79 GiB, sm_90", "fp16"), 989.4);
  EXPECT_DOUBLE_EQ(tera("NVIDIA H200, 139 GiB, sm_90", "tf32"), 494.7);
  EXPECT_DOUBLE_EQ(tera("NVIDIA H200, 139 GiB, sm_90", "float32"), 66.9);
  EXPECT_DOUBLE_EQ(tera("NVIDIA A100-SXM4-80GB", "bf16"), 312);
  EXPECT_DOUBLE_EQ(tera("NVIDIA L40S", "bf16"), 362.05);
  EXPECT_DOUBLE_EQ(tera("Tesla V100-SXM2-16GB", "fp16"), 125);
}

TEST(PeakOperations, OfASpecialFormOfACardAreItsOwn) {
  EXPECT_DOUBLE_EQ(tera("NVIDIA H100 PCIe", "bf16"), 756);
  EXPECT_DOUBLE_EQ(tera("NVIDIA H100 NVL", "bf16"), 835.5);
  EXPECT_DOUBLE_EQ(tera("NVIDIA L4", "bf16"), 121);
  EXPECT_DOUBLE_EQ(tera("NVIDIA GB200", "bf16"), 2500);
  EXPECT_DOUBLE_EQ(tera("Tesla V100-PCIE-32GB", "fp16"), 112);
}

TEST(PeakOperations, AreUnknownForOtherCardsAndFormatsThatTheyLack) {
  EXPECT_FALSE(peak_operations_per_second("", "float32"));
  EXPECT_FALSE(peak_operations_per_second("NVIDIA GeForce RTX 4090", "bf16"));
  EXPECT_FALSE(peak_operations_per_second("NVIDIA L40", "bf16"));
  EXPECT_FALSE(peak_operations_per_second("Tesla V100-SXM2-16GB", "bf16"));
  EXPECT_FALSE(peak_operations_per_second("Tesla V100-SXM2-16GB", "tf32"));
  EXPECT_FALSE(peak_operations_per_second("NVIDIA H200", "int8"));
}

}  // namespace
}  // namespace stc::launcher
