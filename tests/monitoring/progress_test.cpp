#include "monitoring/progress.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <functional>

#include "monitoring/log.h"

namespace stc {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

// What a body writes to standard error where that is a terminal of `columns` columns.
std::string on_terminal(unsigned short columns, const std::function<void()>& body) {
  int outer = -1, inner = -1;
  winsize size{24, columns, 0, 0};
  EXPECT_EQ(::openpty(&outer, &inner, nullptr, nullptr, &size), 0);
  const int before = ::dup(STDERR_FILENO);
  ::dup2(inner, STDERR_FILENO);
  body();
  ::dup2(before, STDERR_FILENO);
  ::close(before);
  ::fcntl(outer, F_SETFL, O_NONBLOCK);
  std::string written;
  char buffer[4096];
  for (ssize_t got; (got = ::read(outer, buffer, sizeof buffer)) > 0;) {
    written.append(buffer, static_cast<std::size_t>(got));
  }
  ::close(inner);
  ::close(outer);
  return written;
}

ProgressReading reading(std::int64_t first, std::int64_t step, double seconds) {
  return {"train", first, step, 1000, 64, seconds, 1.25};
}

TEST(ProgressText, ReportsStepsShareRateLossAndTimeLeft) {
  // 50 steps of 64 samples in 25 s; 550 steps of half a second are left.
  EXPECT_EQ(progress_line(reading(400, 450, 25)),
            "train 450/1000 45% 128.0 samples/s loss 1.2500 left 0:04:35");
}

TEST(ProgressText, CountsTheRateFromWhereARunWasResumed) {
  EXPECT_THAT(progress_line(reading(900, 901, 1)), HasSubstr(" 64.0 samples/s "));
  EXPECT_THAT(progress_line(reading(900, 901, 1)), EndsWith("left 0:01:39"));
}

TEST(ProgressText, KnowsNoRateBeforeTheFirstStep) {
  EXPECT_EQ(progress_line(reading(400, 400, 0)),
            "train 400/1000 40% - samples/s loss 1.2500 left -");
}

TEST(ProgressText, ShowsHours) {
  EXPECT_THAT(progress_line(reading(0, 1, 36)), EndsWith("left 9:59:24"));
}

TEST(ProgressBar, FillsWithTheShareDone) {
  EXPECT_THAT(progress_bar(reading(0, 0, 0), 4), HasSubstr("[....]"));
  EXPECT_THAT(progress_bar(reading(0, 500, 1), 4), HasSubstr("[##..]"));
  EXPECT_THAT(progress_bar(reading(0, 1000, 1), 4), HasSubstr("[####]"));
  EXPECT_THAT(progress_bar(reading(0, 2000, 1), 4), HasSubstr("[####]"));  // past the end
}

TEST(Progress, OffATerminalLeavesOneLastLineOfAShortRun) {
  CaptureStderr();
  {
    Progress progress("train", 0, 3, 64, true);
    for (int step = 1; step <= 3; ++step) progress.update(step, 0.5);
  }
  const std::string lines = GetCapturedStderr();
  EXPECT_THAT(lines, testing::StartsWith("train 3/3 100%"));
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1);
}

TEST(Progress, LastLineOfARunThatStoppedReportsHowFarItCame) {
  CaptureStderr();
  {
    Progress progress("train", 0, 300, 64, true);
    progress.update(1, 0.5);
    progress.update(2, 0.25);
  }
  EXPECT_THAT(GetCapturedStderr(), HasSubstr("train 2/300 0%"));
}

TEST(Progress, IsSilentIfItIsNotShownOrNothingWasDone) {
  CaptureStderr();
  {
    Progress hidden("train", 0, 3, 64, false);
    hidden.update(1, 0.5);
    hidden.clear();
    Progress idle("train", 3, 3, 64, true);
  }
  EXPECT_EQ(GetCapturedStderr(), "");
}

TEST(Progress, OnATerminalDrawsABarAtOnceAndNoMoreThanFiveTimesASecond) {
  const std::string written = on_terminal(200, [] {
    Progress progress("train", 0, 1000, 64, true);
    for (int step = 1; step <= 1000; ++step) progress.update(step, 0.5);
  });
  EXPECT_THAT(written, HasSubstr("\r\033[Ktrain [........................] 1/1000 0%"));
  EXPECT_THAT(written, EndsWith("left 0:00:00\r\n"));  // a terminal ends lines with both
  EXPECT_THAT(written, HasSubstr("[########################] 1000/1000 100%"));
  EXPECT_LE(std::count(written.begin(), written.end(), '['), 2 * 4) << written;
}

TEST(Progress, LogLineLeavesTheBarAndTheNextUpdateDrawsItAgain) {
  const std::string written = on_terminal(200, [] {
    Progress progress("train", 0, 10, 64, true);
    progress.update(1, 0.5);
    log::info("saved");
    log::info("again");
  });
  const auto bar = written.find("1/10");
  const auto line = written.find("\r\033[Ksaved\r\nagain\r\n");
  ASSERT_NE(line, std::string::npos) << written;
  EXPECT_LT(bar, line);
  EXPECT_NE(written.find("1/10", line), std::string::npos) << "the last bar comes after the lines";
}

TEST(Progress, BarIsCutToTheTerminal) {
  const std::string written = on_terminal(20, [] {
    Progress progress("train", 0, 10, 64, true);
    progress.update(1, 0.5);
  });
  EXPECT_THAT(written, HasSubstr("\r\033[Ktrain [##.........."));
  EXPECT_THAT(written, Not(HasSubstr("samples")));
}

TEST(ProgressLine, IsErasedAtItsEndUnlessKept) {
  EXPECT_EQ(on_terminal(80, [] { ProgressLine().draw("packing 1/2"); }),
            "\r\033[Kpacking 1/2\r\033[K");
  EXPECT_EQ(on_terminal(80,
                        [] {
                          ProgressLine line;
                          line.draw("packing 2/2");
                          line.keep();
                        }),
            "\r\033[Kpacking 2/2\r\n");
}

TEST(ProgressLine, IsSilentOffATerminalAndUnlessShown) {
  CaptureStderr();
  ProgressLine line;
  EXPECT_FALSE(line.is_due());
  line.draw("packing 1/2");
  line.keep();
  EXPECT_EQ(GetCapturedStderr(), "");
  EXPECT_EQ(on_terminal(80, [] { ProgressLine(/*shown=*/false).draw("packing 1/2"); }), "");
}

}  // namespace
}  // namespace stc
