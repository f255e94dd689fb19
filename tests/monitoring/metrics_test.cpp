#include "monitoring/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>

#include "monitoring/check.h"
#include "tests/support/scrape.h"

namespace stc::monitoring {
namespace {

using test::scrape;
using testing::HasSubstr;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

MetricsOptions options_of_rank(int rank) {
  MetricsOptions options;
  options.rank = rank;
  options.node = "node07";
  return options;
}

TEST(Metrics, ServesTheSeriesOfAStepWithRankAndNode) {
  Metrics metrics(options_of_rank(3));
  Metrics::Step step;
  step.step = 12;
  step.samples = 64;
  step.learning_rate = 0.5;
  step.gradient_norm = 2.5;
  step.seconds = 0.25;
  step.data_wait_seconds = 0.125;
  step.collective_bytes_total = 4096;
  step.corrupt_samples_total = 1;
  step.losses = {{"total", 1.5}, {"local_distillation", 0.75}};
  metrics.record(step);
  metrics.arrival_lag(0.25);
  metrics.checkpoint({10, 1.5, 4e8});
  metrics.checkpoint_failed();
  metrics.checkpoint_stall(0.125);

  const std::string answer = scrape(metrics.port());
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  const std::string labels = "node=\"node07\",rank=\"3\"";
  for (const std::string& series : {"stc_step{" + labels + "} 12",
                                    "stc_samples_total{" + labels + "} 64",
                                    "stc_learning_rate{" + labels + "} 0.5",
                                    "stc_gradient_norm{" + labels + "} 2.5",
                                    "stc_data_wait_seconds_total{" + labels + "} 0.125",
                                    "stc_collective_bytes_total{" + labels + "} 4096",
                                    "stc_corrupt_samples_total{" + labels + "} 1",
                                    "stc_step_seconds_count{" + labels + "} 1",
                                    "stc_step_seconds_sum{" + labels + "} 0.25",
                                    "stc_step_seconds_bucket{" + labels + ",le=\"0.2\"} 0",
                                    "stc_step_seconds_bucket{" + labels + ",le=\"0.5\"} 1",
                                    "stc_checkpoint_step{" + labels + "} 10",
                                    "stc_checkpoint_seconds_sum{" + labels + "} 1.5",
                                    "stc_checkpoint_bytes{" + labels + "} 400000000",
                                    "stc_checkpoint_failures_total{" + labels + "} 1",
                                    "stc_checkpoint_stall_seconds_sum{" + labels + "} 0.125",
                                    "stc_collective_arrival_lag_seconds{" + labels + "} 0.25",
                                    "stc_loss{" + labels + ",loss=\"total\"} 1.5",
                                    "stc_loss{" + labels + ",loss=\"local_distillation\"} 0.75"}) {
    EXPECT_THAT(answer, HasSubstr("\n" + series + "\n"));
  }
}

TEST(Metrics, AddsUpWhatIsOfAStepAndFollowsWhatIsATotal) {
  Metrics metrics(options_of_rank(0));
  Metrics::Step step;
  step.samples = 64;
  step.seconds = 0.25;
  step.data_wait_seconds = 0.5;
  step.collective_bytes_total = 100;
  metrics.record(step);
  step.samples = 128;
  step.collective_bytes_total = 150;
  metrics.record(step);

  const std::string answer = scrape(metrics.port());
  const std::string labels = "{node=\"node07\",rank=\"0\"} ";
  EXPECT_THAT(answer, HasSubstr("stc_samples_total" + labels + "128\n"));
  EXPECT_THAT(answer, HasSubstr("stc_collective_bytes_total" + labels + "150\n"));
  EXPECT_THAT(answer, HasSubstr("stc_data_wait_seconds_total" + labels + "1\n"));
  EXPECT_THAT(answer, HasSubstr("stc_step_seconds_count" + labels + "2\n"));
}

TEST(Metrics, TellsFactsOfTheRunAsLabels) {
  Metrics metrics(options_of_rank(0));
  metrics.info({{"version", "0.1.0"}, {"device", "cpu"}});
  EXPECT_THAT(
      scrape(metrics.port()),
      HasSubstr("stc_run_info{node=\"node07\",rank=\"0\",device=\"cpu\",version=\"0.1.0\"} 1\n"));
}

TEST(Metrics, OffListensNowhereAndTakesEveryCall) {
  MetricsOptions options;
  options.port = -1;
  Metrics metrics(options);
  metrics.info({{"device", "cpu"}});
  metrics.record({});
  metrics.arrival_lag(1);
  metrics.checkpoint({});
  metrics.checkpoint_failed();
  metrics.checkpoint_stall(1);
  EXPECT_EQ(metrics.port(), -1);
}

TEST(Metrics, TakenPortIsAWarningAndAnotherIsUsed) {
  Metrics first(options_of_rank(0));
  MetricsOptions options = options_of_rank(1);
  options.port = first.port();

  CaptureStderr();
  Metrics second(options);
  const std::string warning = GetCapturedStderr();

  EXPECT_NE(second.port(), first.port());
  EXPECT_THAT(warning, HasSubstr("port " + std::to_string(first.port()) + " is taken"));
  EXPECT_THAT(warning, HasSubstr("port " + std::to_string(second.port()) + " is used"));
  EXPECT_THAT(scrape(first.port()), HasSubstr("rank=\"0\""));
  EXPECT_THAT(scrape(second.port()), HasSubstr("rank=\"1\""));
}

TEST(Metrics, FreePortIsUsedAsAsked) {
  int port = 0;
  {
    Metrics finder(options_of_rank(0));
    port = finder.port();
  }
  MetricsOptions options = options_of_rank(0);
  options.port = port;
  CaptureStderr();
  Metrics metrics(options);
  EXPECT_EQ(GetCapturedStderr(), "");
  EXPECT_EQ(metrics.port(), port);
}

TEST(Metrics, EndOfTheObjectClosesThePort) {
  int port = 0;
  {
    Metrics metrics(options_of_rank(0));
    port = metrics.port();
  }
  EXPECT_THROW(scrape(port), std::runtime_error);
}

TEST(Metrics, AddressOfAnotherHostIsAUsageErrorNamingIt) {
  MetricsOptions options;
  options.address = "192.0.2.1";  // reserved for documentation: no host has it
  CaptureStderr();
  try {
    Metrics metrics(options);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("192.0.2.1"));
    EXPECT_EQ(error.exit(), Exit::kUsage);
  }
  GetCapturedStderr();
}

}  // namespace
}  // namespace stc::monitoring
