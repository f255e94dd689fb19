#include "dist/collective_log.h"

#include <gtest/gtest.h>

#include <chrono>
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

TEST(CollectiveLog, AWatchedCollectiveIsBusyToThePollThatFindsItComplete) {
  CollectiveLog log;
  bool complete = false;
  log.watch(log.begin("all_reduce", 4), [&] { return complete; });
  log.poll();
  sleep_a_little();
  complete = true;
  log.poll();
  const double busy = log.busy_seconds();
  EXPECT_GE(busy, 0.005);
  sleep_a_little();
  EXPECT_EQ(log.busy_seconds(), busy);
}

}  // namespace
}  // namespace stc::dist
