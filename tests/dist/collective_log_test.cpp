#include "dist/collective_log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <stdexcept>
#include <thread>

namespace stc::dist {
namespace {

using Clock = std::chrono::steady_clock;

double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

void sleep_a_little() { std::this_thread::sleep_for(std::chrono::milliseconds(5)); }

TEST(CollectiveLog, IsBusyFromTheFirstThatBeginsToTheLastThatEnds) {
  CollectiveLog log;
  EXPECT_EQ(log.busy_seconds(), 0);
  const auto before = Clock::now();
  const auto first = log.begin("all_reduce", 4);
  const auto began = Clock::now();
  const auto second = log.begin("all_reduce", 4);
  sleep_a_little();
  log.end(first);
  sleep_a_little();
  const auto ending = Clock::now();
  EXPECT_GE(log.busy_seconds(), seconds(ending - began));
  log.end(second);
  const auto after = Clock::now();
  const double busy = log.busy_seconds();
  EXPECT_GE(busy, seconds(ending - began));  // the time of both together is counted once
  EXPECT_LE(busy, seconds(after - before));
}

TEST(CollectiveLog, IsNotBusyBetweenCollectives) {
  CollectiveLog log;
  log.end(log.begin("broadcast", 4));
  const double busy = log.busy_seconds();
  sleep_a_little();
  EXPECT_EQ(log.busy_seconds(), busy);
  log.end(1);  // for the second time
  EXPECT_EQ(log.busy_seconds(), busy);
  const auto began = Clock::now();
  const auto next = log.begin("broadcast", 4);
  sleep_a_little();
  log.end(next);
  EXPECT_GE(log.busy_seconds(), busy + 0.005);
  EXPECT_LE(log.busy_seconds(), busy + seconds(Clock::now() - began));
}

using State = DeviceProgress::State;

TEST(CollectiveLog, OfAGpusCollectivesTheirTimeOnTheDeviceIsBusy) {
  CollectiveLog log;
  DeviceProgress first, second;
  log.watch(log.begin("all_reduce", 4), [&] { return first; });
  log.watch(log.begin("all_reduce", 4), [&] { return second; });
  log.poll();
  sleep_a_little();
  EXPECT_LT(log.busy_seconds(), 0.005);
  EXPECT_EQ(log.progress().completed, 0);
  second = {State::kComplete, 0.25};
  log.poll();
  EXPECT_EQ(log.progress().completed, 0);  // the first is still pending
  first = {State::kComplete, 0.5};
  log.poll();
  EXPECT_EQ(log.progress().completed, 2);
  EXPECT_NEAR(log.busy_seconds(), 0.75, 0.005);
  log.poll();  // asks nobody again
  EXPECT_NEAR(log.busy_seconds(), 0.75, 0.005);
}

TEST(CollectiveLog, AGpusCollectiveThatFailedStaysPendingAndIsAskedOnce) {
  CollectiveLog log;
  int questions = 0;
  log.watch(log.begin("all_reduce", 4), [&]() -> DeviceProgress {
    ++questions;
    throw std::runtime_error("CUDA error: an illegal memory access was encountered");
  });
  log.watch(log.begin("broadcast", 4), [&] {
    ++questions;
    return DeviceProgress{State::kFailed};
  });
  log.poll();
  log.poll();
  EXPECT_EQ(questions, 2);
  ASSERT_TRUE(log.progress().pending);
  EXPECT_EQ(log.progress().pending->verb, "all_reduce");
  EXPECT_LT(log.busy_seconds(), 0.005);
}

// The question may wait for a device: the rank that trains must not wait for the log meanwhile.
TEST(CollectiveLog, AQuestionIsAskedWithoutTheLock) {
  CollectiveLog log;
  log.watch(log.begin("all_reduce", 4), [&] {
    log.end(log.begin("broadcast", 4));
    return DeviceProgress{State::kComplete, 0};
  });
  log.poll();
  EXPECT_EQ(log.progress().completed, 2);
}

}  // namespace
}  // namespace stc::dist
