#include "launcher/checks/bench.h"

#include <gtest/gtest.h>

#include <ATen/ATen.h>

#include <iostream>
#include <nlohmann/json.hpp>

#include "launcher/checks/peak_memory.h"

namespace stc::launcher {
namespace {

std::string printed(bool json_only) {
  testing::internal::CaptureStdout();
  print_measurement("2 steps: 5 ms", {{"benchmark", "x"}, {"a", 2}, {"seconds", 0.5}}, json_only);
  std::cout << std::flush;
  return testing::internal::GetCapturedStdout();
}

TEST(Measurement, TheWarmUpDoesNotCount) {
  EXPECT_EQ(fastest_after_warm_up({0.5, 3, 2, 4}), 2);
  EXPECT_EQ(fastest_after_warm_up({0.5, 3}), 3);
}

TEST(Measurement, EndsWithOneJsonLineWhoseFieldsKeepTheirOrder) {
  const std::string line = R"({"benchmark":"x","a":2,"seconds":0.5})";
  EXPECT_EQ(printed(false), "2 steps: 5 ms\n" + line + "\n");
  EXPECT_EQ(printed(true), line + "\n");
}

TEST(PeakMemory, HoldsWhatIsFreedByTheEnd) {
  const PeakMemory memory(at::kCPU);
  at::ones({64 << 20}, at::kByte);
  if (!memory.bytes()) GTEST_SKIP() << "this system does not say how large a process was";
  EXPECT_GT(*memory.bytes(), 60 << 20);
  EXPECT_LT(*memory.bytes(), 90 << 20);
  const PeakMemory later(at::kCPU);
  EXPECT_LT(*later.bytes(), 30 << 20);
}

}  // namespace
}  // namespace stc::launcher
