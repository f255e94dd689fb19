#include "launcher/training/run_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "monitoring/check.h"
#include "tests/support/temporary_folder.h"

namespace stc::launcher {
namespace {

using testing::AllOf;
using testing::HasSubstr;

TEST(ServiceDiscovery, NamesThePortOfEveryRank) {
  dist::run_ranks(3, [](dist::Communicator& world) {
    PretrainOptions options;
    options.run_dir = "runs/first";
    const auto targets = service_discovery(options, world, 4000 + world.rank());
    EXPECT_EQ(nlohmann::json::parse(targets),
              nlohmann::json::parse(
                  R"([{"targets": ["127.0.0.1:4000", "127.0.0.1:4001", "127.0.0.1:4002"],
                 "labels": {"run": "runs/first"}}])"));
    options.metrics_address = "0.0.0.0";
    const auto reachable =
        nlohmann::json::parse(service_discovery(options, world, 4000))[0]["targets"];
    EXPECT_EQ(reachable[2], world.host() + ":4000");
    EXPECT_EQ(service_discovery(options, world, -1), "");
  });
}

TEST(ReachableHost, IsTheNodeWhereEveryInterfaceIsListenedOn) {
  EXPECT_EQ(reachable_host("0.0.0.0", "node07"), "node07");
  EXPECT_EQ(reachable_host("[::]", "node07"), "node07");
  EXPECT_EQ(reachable_host("127.0.0.1", "node07"), "127.0.0.1");
  EXPECT_EQ(reachable_host("10.0.0.7", "node07"), "10.0.0.7");
}

class Password : public testing::Test {
 protected:
  monitoring::MetricsOptions options_of(const std::string& file) {
    monitoring::MetricsOptions metrics;
    dist::run_ranks(1, [&](dist::Communicator& world) {
      PretrainOptions options;
      options.metrics_user = "scraper";
      options.metrics_password_file = file;
      metrics = metrics_options(options, world);
    });
    return metrics;
  }
  void expect_refused(const std::string& file, const std::string& why) {
    try {
      options_of(file);
      ADD_FAILURE() << file << " was accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::kUsage);
      EXPECT_THAT(error.what(), AllOf(HasSubstr("metrics.password_file: " + file), HasSubstr(why)));
    }
  }
  test::TemporaryFolder folder_;
};

TEST_F(Password, IsTheFirstLineOfItsFile) {
  std::ofstream(folder_ / "password") << "open sesame\nmore\n";
  const auto metrics = options_of(folder_ / "password");
  EXPECT_EQ(metrics.user, "scraper");
  EXPECT_EQ(metrics.password, "open sesame");
}

TEST_F(Password, WithoutOneIsAUsageError) {
  expect_refused(folder_ / "nowhere", "No such file");
  std::ofstream(folder_ / "empty") << "\n";
  expect_refused(folder_ / "empty", "is empty");
}

TEST(DeviceMemory, TheCpuHasNone) {
  monitoring::MetricsOptions none;
  none.port = -1;
  monitoring::Metrics off(none);
  record_device_memory(at::kCPU, {}, &off);
}

}  // namespace
}  // namespace stc::launcher
