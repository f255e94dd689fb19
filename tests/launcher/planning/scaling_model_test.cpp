#include "launcher/planning/scaling_model.h"

#include <gmock/gmock.h>

#include <cmath>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

constexpr double kMiB = 1024 * 1024;

struct Row {
  const char* fabric;
  const char* gradients;
  int percent[6];  ///< 32 images a GPU on 8, 64, 512 GPUs; 256 images a GPU on the same
};

// ResNet-50, supervised; buckets and their times by the operations of each layer.
constexpr Row kTable[] = {{"nvlink+8x200", "fp32", {99, 95, 94, 100, 99, 99}},
                          {"nvlink+8x200", "bf16", {99, 94, 93, 100, 99, 99}},
                          {"nvlink+1x100", "fp32", {99, 69, 64, 100, 98, 97}},
                          {"nvlink+1x100", "bf16", {99, 83, 82, 100, 96, 96}},
                          {"nvlink+25gbe", "fp32", {99, 24, 22, 100, 93, 88}},
                          {"nvlink+25gbe", "bf16", {99, 44, 40, 100, 89, 87}}};

std::vector<Bucket> buckets(const std::string& gradients) {
  if (gradients == "bf16") return {{3.91 * kMiB, 0.001}, {27.54 * kMiB, 0.173}, {17.3 * kMiB, 1}};
  return {{7.8 * kMiB, 0},
          {30.0 * kMiB, 0.09},
          {25.0 * kMiB, 0.17},
          {25.3 * kMiB, 0.48},
          {9.3 * kMiB, 1}};
}

TEST(ScalingModel, GivesTheKnownTableOfResNet50) {
  for (const Row& row : kTable) {
    int column = 0;
    for (const double compute : {19.4e-3, 103.6e-3}) {
      for (const int ranks : {8, 64, 512}) {
        const double step = step_seconds(
            fabric_named(row.fabric), ranks, {compute, 2.0 / 3, 0, buckets(row.gradients)});
        EXPECT_EQ(std::lround(100 * compute / step), row.percent[column])
            << row.fabric << " " << row.gradients << " " << compute << " s, " << ranks << " ranks";
        ++column;
      }
    }
  }
}

TEST(ScalingModel, ARankAloneWaitsForNobody) {
  const Fabric& fabric = fabrics().front();
  EXPECT_EQ(all_reduce_seconds(fabric, 1, 1e9), 0);
  EXPECT_EQ(all_gather_seconds(fabric, 1, 1e9), 0);
  EXPECT_EQ(all_to_all_seconds(fabric, 1, 1e9, 32), 0);
  EXPECT_EQ(step_seconds(fabric, 1, {0.02, 0.5, 0, {{1e9, 0}}}), 0.02);
}

TEST(ScalingModel, ImagesByAllToAllCostTheSameOnEveryWorldAndByAllGatherDoNot) {
  const Fabric& fabric = fabric_named("nvlink+1x100");
  constexpr double kUint8 = 32 * 3 * 224 * 224, kFloat = 4 * kUint8;
  EXPECT_NEAR(all_to_all_seconds(fabric, 64, kUint8, 32),
              all_to_all_seconds(fabric, 4096, kUint8, 32),
              1e-4);
  // 1.2 GB and 9.8 GB received at 12 GB/s.
  EXPECT_NEAR(all_gather_seconds(fabric, 64, kFloat), 0.101, 0.002);
  EXPECT_NEAR(all_gather_seconds(fabric, 512, kFloat), 0.820, 0.01);
}

TEST(ScalingModel, WhatBlocksIsAddedWhole) {
  const Fabric& fabric = fabrics().front();
  const StepTime hidden{0.1, 0.5, 0, {{1e6, 0.1}}};
  StepTime blocked = hidden;
  blocked.blocking_seconds = 0.01;
  EXPECT_DOUBLE_EQ(step_seconds(fabric, 64, hidden), 0.1);
  EXPECT_DOUBLE_EQ(step_seconds(fabric, 64, blocked), 0.11);
}

TEST(ScalingModel, AnUnknownFabricIsAnErrorThatListsThem) {
  try {
    fabric_named("carrier-pigeon");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kUsage);
    EXPECT_THAT(error.what(), testing::HasSubstr("nvlink+8x200, nvlink+1x100, nvlink+25gbe"));
  }
}

}  // namespace
}  // namespace stc::launcher
