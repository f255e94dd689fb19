#include "monitoring/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "monitoring/activity.h"
#include "monitoring/check.h"
#include "tests/support/file_content.h"
#include "tests/support/temporary_folder.h"

namespace stc::log {
namespace {

using test::content;
using testing::EndsWith;
using testing::HasSubstr;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

class Log : public testing::Test {
 protected:
  void TearDown() override {
    before_terminal_line({});
    open(0, 1);
  }
  test::TemporaryFolder folder_;
};

TEST_F(Log, OfASingleProcessHasNoRankOnTheTerminal) {
  open(0, 1);
  CaptureStderr();
  info("ready");
  warning("slow disk");
  error("gone");
  EXPECT_EQ(GetCapturedStderr(), "ready\nstc: warning: slow disk\nstc: gone\n");
}

TEST_F(Log, OfManyShowsRankZeroAndEveryRanksErrors) {
  CaptureStderr();
  open(0, 4);
  info("ready");
  open(2, 4);
  info("hidden");
  warning("hidden too");
  error("gone");
  EXPECT_EQ(GetCapturedStderr(), "[rank 0/4] ready\n[rank 2/4] stc: gone\n");
}

TEST_F(Log, FileKeepsEveryLineOfItsRankAndIsAppendedTo) {
  const std::string file = folder_ / "rank-1.log";
  CaptureStderr();
  open(1, 2, {file});
  info("first");
  open(1, 2, {file});
  error("second");
  GetCapturedStderr();

  std::istringstream lines(content(file));
  std::string first, second, third;
  std::getline(lines, first);
  std::getline(lines, second);
  EXPECT_THAT(first, testing::StartsWith("[rank 1/2] 2"));
  EXPECT_THAT(first, EndsWith("info: first"));
  EXPECT_THAT(second, EndsWith("error: second"));
  EXPECT_FALSE(std::getline(lines, third));
}

TEST_F(Log, FileOfObjectsHoldsWhatALineSaysAndWhereItComesFrom) {
  const std::string file = folder_ / "rank-1.log";
  CaptureStderr();
  open(1, 2, {.path = file, .json = true});
  activity::begin_step(7);
  warning("a \"quoted\" disk\nis slow");
  error("\xff is no letter");
  GetCapturedStderr();

  std::istringstream lines(content(file));
  std::string first, second;
  std::getline(lines, first);
  std::getline(lines, second);
  const auto line = nlohmann::json::parse(first);
  EXPECT_EQ(line.at("level"), "warning");
  EXPECT_EQ(line.at("rank"), 1);
  EXPECT_EQ(line.at("world"), 2);
  EXPECT_EQ(line.at("step"), 7);
  EXPECT_EQ(line.at("message"), "a \"quoted\" disk is slow");
  EXPECT_THAT(line.at("time").get<std::string>(),
              testing::MatchesRegex("20..-..-..T..:..:..\\....[+-]..:.."));
  EXPECT_EQ(nlohmann::json::parse(second).at("level"), "error");
  EXPECT_EQ(nlohmann::json::parse(second).at("message"), "\\xff is no letter");
}

TEST_F(Log, FileThatGrewTooLongGetsANumberAndTheOldestGoes) {
  const std::string file = folder_ / "rank-0.log";
  CaptureStderr();
  open(0, 1, {.path = file, .rotate_bytes = 4096, .keep = 2});
  for (int i = 0; i < 400; ++i) info("line {}", i);
  GetCapturedStderr();
  EXPECT_LE(content(file).size(), 4096U);
  EXPECT_THAT(content(file), HasSubstr("line 399\n"));
  EXPECT_GT(content(folder_ / "rank-0.1.log").size(), 2000U);
  EXPECT_GT(content(folder_ / "rank-0.2.log").size(), 2000U);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "rank-0.3.log"));
  EXPECT_THAT(content(folder_ / "rank-0.2.log"), testing::Not(HasSubstr("line 0\n")));
}

TEST_F(Log, LineIsInTheFileWhenTheCallReturns) {
  const std::string file = folder_ / "rank-0.log";
  CaptureStderr();
  open(0, 1, {file});
  info("written");
  EXPECT_THAT(content(file), HasSubstr("written"));
  GetCapturedStderr();
}

TEST_F(Log, EventWithLineBreaksStaysOneLine) {
  CaptureStderr();
  info("a\nb");
  EXPECT_EQ(GetCapturedStderr(), "a b\n");
}

TEST_F(Log, NamesThatAreNotTextAreShownByTheirBytes) {
  CaptureStderr();
  info("{}", "\xc4\xe3.mp4 \x1b[31m");
  EXPECT_EQ(GetCapturedStderr(), "\\xc4\\xe3.mp4 \\x1b[31m\n");
}

TEST_F(Log, BracesAndPercentSignsAreText) {
  CaptureStderr();
  info("{} {0} %v %s 100%", "{}");
  EXPECT_EQ(GetCapturedStderr(), "{} {0} %v %s 100%\n");
}

TEST_F(Log, AsksForAClearTerminalOnlyBeforeALineThatShows) {
  int cleared = 0;
  before_terminal_line([&] { ++cleared; });
  CaptureStderr();
  info("shown");
  EXPECT_EQ(cleared, 1);
  open(1, 2);
  info("hidden");
  EXPECT_EQ(cleared, 1);
  error("shown");
  EXPECT_EQ(cleared, 2);
  before_terminal_line({});
  error("shown");
  EXPECT_EQ(cleared, 2);
  GetCapturedStderr();
}

TEST_F(Log, LinesOfManyThreadsDoNotMix) {
  const std::string file = folder_ / "rank-0.log";
  CaptureStderr();
  open(0, 1, {file});
  std::vector<std::thread> threads;
  for (char letter = 'a'; letter < 'e'; ++letter) {
    threads.emplace_back([letter] {
      for (int i = 0; i < 50; ++i) info("{}", std::string(100, letter));
    });
  }
  for (auto& thread : threads) thread.join();
  std::istringstream lines(GetCapturedStderr());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    ASSERT_EQ(line, std::string(100, line.front()));
  }
  EXPECT_EQ(count, 200);
}

TEST_F(Log, FileThatCannotBeOpenedIsAnErrorNamingIt) {
  try {
    open(0, 1, {folder_.path()});  // a folder
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(folder_.path()));
    EXPECT_EQ(error.exit(), Exit::kFailed);
  }
}

}  // namespace
}  // namespace stc::log
