#include "launcher/run_folder/run_folder.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>

#include "monitoring/check.h"
#include "tests/support/file_content.h"
#include "tests/support/small_disk.h"
#include "tests/support/temporary_folder.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using test::content;
using testing::AllOf;
using testing::HasSubstr;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

class RunFolderTest : public testing::Test {
 protected:
  RunFolderTest() {
    schema_.integer("train.steps", &steps_).range(1, 1000).help("steps");
    schema_.integer("checkpoint.keep", &keep_).range(2, 1000).help("kept");
    schema_.mark_operation({"checkpoint.keep"});
  }
  std::unique_ptr<RunFolder> open(bool fresh = false) {
    return RunFolder::open(run_, schema_, fresh);
  }
  std::string error_of(Exit exit, const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), exit) << error.what();
      return error.what();
    }
    return "nothing was thrown";
  }
  std::string usage_error(bool fresh = false) {
    return error_of(Exit::kUsage, [&] { open(fresh); });
  }
  /// A run that has made one step.
  void begin() { open()->append_metrics("{\"step\":1}"); }
  void write(const std::string& inside, const std::string& text) {
    fs::create_directories(fs::path(run_ + "/" + inside).parent_path());
    std::ofstream(run_ + "/" + inside) << text;
  }

  test::TemporaryFolder folder_;
  std::string run_ = folder_ / "runs/a";
  std::int64_t steps_ = 10;
  std::int64_t keep_ = 2;
  ConfigSchema schema_;
};

TEST_F(RunFolderTest, NewRunHoldsItsResolvedConfig) {
  const auto run = open();
  EXPECT_EQ(run->state(), RunState::kNew);
  EXPECT_EQ(content(run_ + "/config.toml"), schema_.resolved());
  EXPECT_EQ(run->path("log/rank-0.log"), run_ + "/log/rank-0.log");
}

TEST_F(RunFolderTest, EmptyFolderIsANewRun) {
  fs::create_directories(run_);
  EXPECT_EQ(open()->state(), RunState::kNew);
}

TEST_F(RunFolderTest, RunThatEndedBeforeItsConfigWasWrittenIsANewRun) {
  write("lock", "host 1\n");
  write("config.toml.partial", "[tra");
  write("log/rank-0.log", "");
  EXPECT_EQ(open()->state(), RunState::kNew);
}

TEST_F(RunFolderTest, ARunThatNeverMadeAStepTakesOtherSettings) {
  open();
  steps_ = 20;
  EXPECT_EQ(open()->state(), RunState::kNew);
  EXPECT_EQ(content(run_ + "/config.toml"), schema_.resolved());
}

TEST_F(RunFolderTest, SameTrainingResumesAndOtherSettingsAreWrittenDown) {
  begin();
  keep_ = 5;
  EXPECT_EQ(open()->state(), RunState::kResume);
  EXPECT_EQ(content(run_ + "/config.toml"), schema_.resolved());
}

TEST_F(RunFolderTest, AnotherTrainingIsRefusedNamingTheKeyAndNothingChanges) {
  begin();
  const std::string before = content(run_ + "/config.toml");
  steps_ = 20;
  EXPECT_THAT(
      usage_error(),
      AllOf(HasSubstr(run_), HasSubstr("train.steps: 10 there, 20 here"), HasSubstr("--fresh")));
  EXPECT_EQ(content(run_ + "/config.toml"), before);
}

TEST_F(RunFolderTest, FinishedOnlyWhereTheSummarySaysSo) {
  begin();
  open()->write_atomically("summary.json", "{\"finished\": true}");
  EXPECT_EQ(open()->state(), RunState::kFinished);
  for (const char* summary : {"{\"finished\": false}", "{}", "[1]", "{\"fini", ""}) {
    write("summary.json", summary);
    EXPECT_EQ(open()->state(), RunState::kResume) << summary;
  }
}

TEST_F(RunFolderTest, FinishedRunKeepsItsConfig) {
  open()->write_atomically("summary.json", "{\"finished\": true}");
  const std::string before = content(run_ + "/config.toml");
  keep_ = 7;
  open();
  EXPECT_EQ(content(run_ + "/config.toml"), before);
}

TEST_F(RunFolderTest, FreshMovesTheOldOneAsideUnderTheNextFreeNumber) {
  open();
  steps_ = 20;
  CaptureStderr();
  EXPECT_EQ(open(/*fresh=*/true)->state(), RunState::kNew);
  steps_ = 30;
  EXPECT_EQ(open(/*fresh=*/true)->state(), RunState::kNew);
  EXPECT_THAT(GetCapturedStderr(), AllOf(HasSubstr(run_ + ".1\n"), HasSubstr(run_ + ".2\n")));
  EXPECT_THAT(content(run_ + ".1/config.toml"), HasSubstr("steps = 10"));
  EXPECT_THAT(content(run_ + ".2/config.toml"), HasSubstr("steps = 20"));
  EXPECT_THAT(content(run_ + "/config.toml"), HasSubstr("steps = 30"));
}

TEST_F(RunFolderTest, FreshWithoutAnOldOneIsJustNew) {
  EXPECT_EQ(open(/*fresh=*/true)->state(), RunState::kNew);
  EXPECT_FALSE(fs::exists(run_ + ".1"));
}

TEST_F(RunFolderTest, TrailingSlashesAreTheSameFolder) {
  open();
  CaptureStderr();
  RunFolder::open(run_ + "//", schema_, /*fresh=*/true);
  GetCapturedStderr();
  EXPECT_TRUE(fs::exists(run_ + ".1/config.toml"));
}

TEST_F(RunFolderTest, FolderThatIsNoRunIsRefusedAndLeftAlone) {
  write("thesis.tex", "precious");
  EXPECT_THAT(usage_error(), AllOf(HasSubstr(run_), HasSubstr("is not a run")));
  EXPECT_THAT(usage_error(/*fresh=*/true), HasSubstr("is not a run"));
  EXPECT_EQ(content(run_ + "/thesis.tex"), "precious");
  EXPECT_FALSE(fs::exists(run_ + "/lock"));
}

TEST_F(RunFolderTest, FileInPlaceOfAFolderIsRefused) {
  fs::create_directories(fs::path(run_).parent_path());
  std::ofstream(run_) << "text";
  EXPECT_THAT(usage_error(), AllOf(HasSubstr(run_), HasSubstr("is a file")));
}

TEST_F(RunFolderTest, EmptyPathIsRefused) {
  run_.clear();
  EXPECT_THAT(usage_error(), HasSubstr("run.dir is empty"));
}

TEST_F(RunFolderTest, FolderThatCannotBeMadeIsAFailureNamingTheCause) {
  std::ofstream(folder_ / "file") << "text";
  run_ = folder_ / "file/run";
  EXPECT_THAT(error_of(Exit::kFailed, [&] { open(); }),
              AllOf(HasSubstr(run_), HasSubstr("Not a directory")));
}

TEST_F(RunFolderTest, LockOfALiveProcessRefusesASecondAndNamesIt) {
  int opened[2], done[2];
  ASSERT_EQ(::pipe(opened), 0);
  ASSERT_EQ(::pipe(done), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto run = open();
    char byte = 'x';
    if (::write(opened[1], &byte, 1) != 1) ::_exit(1);
    if (::read(done[0], &byte, 1) != 1) ::_exit(1);
    ::_exit(0);  // no destructor runs: the end of the process is what frees the lock
  }
  char byte = 0;
  ASSERT_EQ(::read(opened[0], &byte, 1), 1);

  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  const std::string owner = text("process {} on {}", child, host);
  EXPECT_THAT(usage_error(), AllOf(HasSubstr("is in use by " + owner), HasSubstr(run_)));
  EXPECT_THAT(usage_error(/*fresh=*/true), HasSubstr("is in use by " + owner));
  EXPECT_TRUE(fs::exists(run_ + "/config.toml"));
  EXPECT_FALSE(fs::exists(run_ + ".1"));

  ASSERT_EQ(::write(done[1], &byte, 1), 1);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(open()->state(), RunState::kNew);
}

TEST_F(RunFolderTest, LockOfAKilledProcessIsFree) {
  int opened[2];
  ASSERT_EQ(::pipe(opened), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto run = open();
    if (::write(opened[1], "x", 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(opened[0], &byte, 1), 1);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_EQ(open()->state(), RunState::kNew);
}

TEST_F(RunFolderTest, MetricsAreInTheFileWhenTheCallReturns) {
  const auto run = open();
  run->append_metrics("{\"step\":1}");
  EXPECT_EQ(content(run_ + "/metrics.jsonl"), "{\"step\":1}\n");
  run->append_metrics("{\"step\":2}");
  EXPECT_EQ(content(run_ + "/metrics.jsonl"), "{\"step\":1}\n{\"step\":2}\n");
}

TEST_F(RunFolderTest, CutDropsLaterStepsAndATornLastLineAndGoesOn) {
  const auto run = open();
  for (int step = 1; step <= 5; ++step) run->append_metrics(text("{\"step\":{}}", step));
  std::ofstream(run_ + "/metrics.jsonl", std::ios::app) << "{\"step\":2";
  run->cut_metrics_after(3);
  EXPECT_EQ(content(run_ + "/metrics.jsonl"), "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n");
  run->append_metrics("{\"step\":4}");
  EXPECT_EQ(content(run_ + "/metrics.jsonl"),
            "{\"step\":1}\n{\"step\":2}\n{\"step\":3}\n{\"step\":4}\n");
}

TEST_F(RunFolderTest, CutDropsATornLineWhoseStepIsEarly) {
  const auto run = open();
  write("metrics.jsonl", "{\"step\":1}\n{\"step\":2}");
  run->cut_metrics_after(9);
  EXPECT_EQ(content(run_ + "/metrics.jsonl"), "{\"step\":1}\n");
}

TEST_F(RunFolderTest, CutToNothingLeavesAnEmptyFileAndWithoutAFileDoesNothing) {
  const auto run = open();
  run->cut_metrics_after(0);
  EXPECT_FALSE(fs::exists(run_ + "/metrics.jsonl"));
  run->append_metrics("{\"step\":1}");
  run->cut_metrics_after(0);
  EXPECT_EQ(content(run_ + "/metrics.jsonl"), "");
}

TEST_F(RunFolderTest, WriteReplacesAndRemoveToleratesAbsence) {
  const auto run = open();
  run->write_atomically("file_sd.json", "[1]");
  run->write_atomically("file_sd.json", "[2]");
  EXPECT_EQ(content(run_ + "/file_sd.json"), "[2]");
  EXPECT_FALSE(fs::exists(run_ + "/file_sd.json.partial"));
  run->remove("file_sd.json");
  run->remove("file_sd.json");
  EXPECT_FALSE(fs::exists(run_ + "/file_sd.json"));
}

TEST_F(RunFolderTest, FullDiskNamesTheFileAndLeavesTheOldOne) {
  const auto run = open();
  run->write_atomically("summary.json", "{}");
  const std::string failed = error_of(Exit::kFailed, [&] {
    const test::SmallDisk disk(64);
    run->write_atomically("summary.json", std::string(1000, 'x'));
  });

  EXPECT_THAT(failed, AllOf(HasSubstr("summary.json"), HasSubstr("File too large")));
  EXPECT_EQ(content(run_ + "/summary.json"), "{}");
  EXPECT_FALSE(fs::exists(run_ + "/summary.json.partial"));
}

TEST_F(RunFolderTest, LinesThatAFullDiskDoesNotTakeAreWrittenWhenThereIsRoom) {
  const auto run = open();
  const std::string first(600, '1'), second(600, '2'), third(600, '3');
  auto disk = std::make_unique<test::SmallDisk>(1000);
  testing::internal::CaptureStderr();
  for (const auto& line : {first, second, third}) run->append_metrics(line);
  const std::string warnings = testing::internal::GetCapturedStderr();
  const std::string failed = error_of(Exit::kFailed, [&] { run->flush_metrics(); });
  disk.reset();

  EXPECT_THAT(failed, HasSubstr("metrics.jsonl cannot be written: File too large"));
  EXPECT_THAT(warnings, HasSubstr("metrics.jsonl cannot be written: File too large"));
  EXPECT_EQ(std::count(warnings.begin(), warnings.end(), '\n'), 1) << "told once: " << warnings;
  EXPECT_EQ(content(run_ + "/metrics.jsonl"), first + "\n" + second.substr(0, 399));
  run->flush_metrics();
  EXPECT_EQ(content(run_ + "/metrics.jsonl"), first + "\n" + second + "\n" + third + "\n");
}

TEST_F(RunFolderTest, ReadsWhatAnEarlierVersionMeantAndKeepsTheRemark) {
  EXPECT_EQ(RunFolder::recorded_config(run_), "");
  open();
  EXPECT_EQ(RunFolder::recorded_config(run_), "");  // it has not trained
  begin();
  steps_ += 1;
  EXPECT_THAT(usage_error(), HasSubstr("train.steps"));
  RunFolder::open(run_, schema_, false, {{"train.steps", steps_}}, "# a remark\n");
  EXPECT_EQ(RunFolder::recorded_config(run_), "# a remark\n" + schema_.resolved());
  EXPECT_EQ(open()->state(), RunState::kResume);
}

}  // namespace
}  // namespace stc::launcher
