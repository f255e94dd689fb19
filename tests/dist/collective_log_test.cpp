#include "dist/collective_log.h"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
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
constexpr const char* kGroup = "gradients";
constexpr const char* kOtherGroup = "batch norm";

/// A collective on a device that takes this long, once it is complete.
std::function<DeviceProgress()> complete(double seconds) {
  return [seconds] { return DeviceProgress{State::kComplete, seconds}; };
}

TEST(CollectiveLog, OfAGpusCollectivesTheirTimeOnTheDeviceIsBusy) {
  CollectiveLog log;
  DeviceProgress first, second;
  log.watch(log.begin("all_reduce", 4), kGroup, [&] { return first; });
  log.watch(log.begin("all_reduce", 4), kGroup, [&] { return second; });
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
  log.watch(log.begin("all_reduce", 4), kGroup, [&]() -> DeviceProgress {
    ++questions;
    throw std::runtime_error("CUDA error: an illegal memory access was encountered");
  });
  log.watch(log.begin("broadcast", 4), kGroup, [&] {
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
  log.watch(log.begin("all_reduce", 4), kGroup, [&] {
    log.end(log.begin("broadcast", 4));
    return DeviceProgress{State::kComplete, 0};
  });
  log.poll();
  EXPECT_EQ(log.progress().completed, 2);
}

// Groups work at the same time: their sum might be more than all the time there is.
TEST(CollectiveLog, OfTwoGroupsOnAGpuTheBusierCounts) {
  CollectiveLog log;
  for (const double seconds : {0.25, 0.5})
    log.watch(log.begin("all_reduce", 4), kGroup, complete(seconds));
  log.watch(log.begin("all_reduce", 4), kOtherGroup, complete(0.5));
  log.poll();
  EXPECT_NEAR(log.busy_seconds(), 0.75, 0.005);
}

TEST(CollectiveLog, AStepOnADeviceIsReadAStepLateAndOnlyWhenItIsComplete) {
  CollectiveLog log;
  log.watch(log.begin("broadcast", 4), kGroup, complete(9));  // before the first step
  log.begin_step();
  DeviceProgress slow;
  log.watch(log.begin("all_reduce", 4), kOtherGroup, [&] { return slow; });
  for (const double seconds : {0.25, 0.5})
    log.watch(log.begin("all_reduce", 4), kGroup, complete(seconds));
  log.poll();
  EXPECT_EQ(log.last_step_device_seconds(), 9);
  log.begin_step();
  log.watch(log.begin("all_reduce", 4), kGroup, complete(8));
  log.poll();
  EXPECT_FALSE(log.last_step_device_seconds());  // one of its collectives is still under way
  slow = {State::kComplete, 0.125};
  EXPECT_FALSE(log.last_step_device_seconds());  // reading asks nobody
  log.poll();
  EXPECT_EQ(log.last_step_device_seconds(), 0.75);
  log.begin_step();
  EXPECT_EQ(log.last_step_device_seconds(), 8);
  log.begin_step();
  EXPECT_FALSE(log.last_step_device_seconds());  // a step without collectives
}

TEST(CollectiveLog, AStepWithAFailedCollectiveIsNeverComplete) {
  CollectiveLog log;
  log.begin_step();
  log.watch(log.begin("all_reduce", 4), kGroup, [] { return DeviceProgress{State::kFailed}; });
  log.watch(log.begin("all_reduce", 4), kGroup, complete(0.5));
  log.begin_step();
  log.poll();
  EXPECT_FALSE(log.last_step_device_seconds());
}

// What ends two steps later belongs to no other step.
TEST(CollectiveLog, AStepThatCompletesTooLateIsLeftOut) {
  CollectiveLog log;
  DeviceProgress slow;
  log.begin_step();
  log.watch(log.begin("all_reduce", 4), kGroup, [&] { return slow; });
  log.begin_step();
  log.watch(log.begin("all_reduce", 4), kGroup, complete(0.5));
  log.begin_step();
  slow = {State::kComplete, 4};
  log.poll();
  EXPECT_EQ(log.last_step_device_seconds(), 0.5);
}

}  // namespace
}  // namespace stc::dist
