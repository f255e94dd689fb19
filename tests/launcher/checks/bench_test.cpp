#include "launcher/checks/bench.h"

#include <gtest/gtest.h>

#include <iostream>
#include <nlohmann/json.hpp>

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

}  // namespace
}  // namespace stc::launcher
