#include "monitoring/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <chrono>
#include <ctime>
#include <limits>
#include <stdexcept>
#include <thread>
#include <vector>

#include "monitoring/check.h"
#include "monitoring/stopwatch.h"
#include "tests/support/scrape.h"

namespace stc::monitoring {
namespace {

using test::scrape;
using testing::HasSubstr;
using testing::Not;
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
  step.collective_seconds_total = 0.1875;
  step.corrupt_samples_total = 1;
  step.losses = {{"total", 1.5}, {"local_distillation", 0.75}};
  step.first_collective_seconds = 0.0625;
  step.ready_batches = 3;
  step.health = {{"selected_fraction", 0.75}, {"teacher_entropy", 4.5}};
  metrics.record(step);
  metrics.arrival_lag(0.25);
  metrics.restarts(2);
  metrics.skipped_step();
  metrics.device_memory({1e9, 2e9, 3e9});
  metrics.throughput(64, 5e12, 0.25);
  metrics.begin_checkpoints();
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
                                    "stc_collective_seconds_total{" + labels + "} 0.1875",
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
                                    "stc_first_collective_seconds{" + labels + "} 0.0625",
                                    "stc_loader_ready_batches{" + labels + "} 3",
                                    "stc_selected_fraction{" + labels + "} 0.75",
                                    "stc_teacher_entropy{" + labels + "} 4.5",
                                    "stc_restarts_total{" + labels + "} 2",
                                    "stc_skipped_steps_total{" + labels + "} 1",
                                    "stc_device_allocated_bytes{" + labels + "} 1000000000",
                                    "stc_device_reserved_bytes{" + labels + "} 2000000000",
                                    "stc_device_memory_peak_bytes{" + labels + "} 3000000000",
                                    "stc_images_per_second{" + labels + "} 64",
                                    "stc_flops_per_second{" + labels + "} 5000000000000",
                                    "stc_mfu{" + labels + "} 0.25",
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
  step.collective_seconds_total = 0.5;
  metrics.record(step);
  step.samples = 128;
  step.collective_bytes_total = 150;
  step.collective_seconds_total = 0.75;
  metrics.record(step);

  const std::string answer = scrape(metrics.port());
  const std::string labels = "{node=\"node07\",rank=\"0\"} ";
  EXPECT_THAT(answer, HasSubstr("stc_samples_total" + labels + "128\n"));
  EXPECT_THAT(answer, HasSubstr("stc_collective_bytes_total" + labels + "150\n"));
  EXPECT_THAT(answer, HasSubstr("stc_collective_seconds_total" + labels + "0.75\n"));
  EXPECT_THAT(answer, HasSubstr("stc_data_wait_seconds_total" + labels + "1\n"));
  EXPECT_THAT(answer, HasSubstr("stc_step_seconds_count" + labels + "2\n"));
}

// The value of the series of rank 0; NaN where there is none.
double value_of(const std::string& answer, const std::string& name) {
  const std::string series = "\n" + name + "{node=\"node07\",rank=\"0\"} ";
  const auto at = answer.find(series);
  if (at == std::string::npos) return std::numeric_limits<double>::quiet_NaN();
  return std::stod(answer.substr(at + series.size()));
}

TEST(Metrics, OnlyTheRankThatSavesHasSeriesOfCheckpoints) {
  Metrics metrics(options_of_rank(0));
  metrics.checkpoint({10, 1.5, 4e8});
  EXPECT_THAT(scrape(metrics.port()), Not(HasSubstr("stc_checkpoint")));
  const auto before = static_cast<double>(std::time(nullptr));
  metrics.begin_checkpoints();
  const double begun = value_of(scrape(metrics.port()), "stc_checkpoint_timestamp_seconds");
  EXPECT_GE(begun, before - 1);
  EXPECT_LE(begun, before + 60);
  EXPECT_EQ(value_of(scrape(metrics.port()), "stc_checkpoint_step"), 0);
  metrics.checkpoint({10, 1.5, 4e8});
  EXPECT_GT(value_of(scrape(metrics.port()), "stc_checkpoint_timestamp_seconds"), begun);
}

TEST(Metrics, ResidentMemoryIsThatOfNow) {
  Metrics metrics(options_of_rank(0));
  const double before = value_of(scrape(metrics.port()), "stc_resident_memory_bytes");
  constexpr std::size_t kBytes = 256 << 20;
  const std::vector<char> more(kBytes, 1);
  const double after = value_of(scrape(metrics.port()), "stc_resident_memory_bytes");
  EXPECT_GT(before, 1 << 20);
  EXPECT_NEAR(after - before, kBytes, 0.1 * kBytes);
}

TEST(Metrics, CountsTheTimeOfItsOwnUpdates) {
  Metrics metrics(options_of_rank(0));
  EXPECT_EQ(value_of(scrape(metrics.port()), "stc_metrics_seconds_total"), 0);
  Metrics::Step step;
  step.losses = {{"total", 1}, {"contrastive", 1}};
  const Stopwatch clock;
  for (int i = 0; i < 1000; ++i) metrics.record(step);
  const double whole = clock.seconds();
  const double counted = value_of(scrape(metrics.port()), "stc_metrics_seconds_total");
  EXPECT_GT(counted, whole / 2);
  EXPECT_LE(counted, whole);
}

// Each step adds 100 bytes, so a page in which the two differ is of two steps.
TEST(Metrics, AScrapeInMidUpdateSeesOneStep) {
  Metrics metrics(options_of_rank(0));
  std::jthread training([&](const std::stop_token& end) {
    Metrics::Step step;
    for (int i = 1; !end.stop_requested(); ++i) {
      step.step = i;
      step.losses = {{"total", i}};
      step.collective_bytes_total = 100 * i;
      metrics.record(step);
    }
  });
  double last = 0;
  for (int i = 0; i < 200; ++i) {
    const std::string answer = scrape(metrics.port());
    last = value_of(answer, "stc_step");
    ASSERT_EQ(value_of(answer, "stc_collective_bytes_total"), 100 * last);
  }
  EXPECT_GT(last, 200);
}

TEST(Metrics, OtherPathsAreNotFound) {
  const Metrics metrics(options_of_rank(0));
  EXPECT_THAT(scrape(metrics.port(), "", "/nope"), HasSubstr("404 Not Found"));
  EXPECT_THAT(scrape(metrics.port(), "", "/nope"), HasSubstr("expected GET /metrics\n"));
  EXPECT_THAT(scrape(metrics.port(), "", "/"), Not(HasSubstr("stc_step")));
}

TEST(Metrics, WithAUserOnlyTheRightPasswordOpens) {
  auto options = options_of_rank(0);
  options.user = "scraper";
  options.password = "open sesame";
  const Metrics metrics(options);
  const auto answer = [&](const std::string& encoded) {
    return scrape(metrics.port(), "Authorization: Basic " + encoded + "\r\n");
  };
  EXPECT_THAT(scrape(metrics.port()), HasSubstr("401 Unauthorized"));
  EXPECT_THAT(answer("c2NyYXBlcjpvcGVuIHNlc2FtZQ=="), HasSubstr("stc_step"));
  EXPECT_THAT(answer("c2NyYXBlcjpvcGVuIHNlc2FtQQ=="), Not(HasSubstr("stc_step")));  // "... sesam@"
  EXPECT_THAT(answer("c2NyYXBlcjpvcGVuIHNlc2Ft"), Not(HasSubstr("stc_step")));      // "... sesam"
  EXPECT_THAT(answer("c2NyYXBlcjo="), Not(HasSubstr("stc_step")));                  // nothing
  EXPECT_THAT(answer("b3RoZXI6b3BlbiBzZXNhbWU="), Not(HasSubstr("stc_step")));      // "other"
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
  metrics.restarts(1);
  metrics.skipped_step();
  metrics.device_memory({1, 2, 3});
  metrics.throughput(1, 2, 3);
  metrics.begin_checkpoints();
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
  EXPECT_THAT(warning,
              HasSubstr("port " + std::to_string(first.port()) + ": Address already in use"));
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
    EXPECT_THAT(error.what(), HasSubstr("metrics.address is 192.0.2.1"));
    EXPECT_THAT(error.what(), HasSubstr("Cannot assign requested address"));
    EXPECT_EQ(error.exit(), Exit::kUsage);
  }
  GetCapturedStderr();
}

// The default address is nobody's wish: a run whose machine has no port left trains on.
TEST(Metrics, WithoutAPortTheRunContinues) {
  rlimit files{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &files), 0);
  const rlimit none{0, files.rlim_max};
  CaptureStderr();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  Metrics metrics(options_of_rank(2));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &files), 0);
  const std::string warning = GetCapturedStderr();
  metrics.record({});
  EXPECT_EQ(metrics.port(), -1);
  EXPECT_THAT(warning, HasSubstr("no metrics of rank 2 are served, the run continues"));
  EXPECT_THAT(warning, HasSubstr("Too many open files"));
}

}  // namespace
}  // namespace stc::monitoring
