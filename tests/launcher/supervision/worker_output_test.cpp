#include "launcher/supervision/worker_output.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>

#include "launcher/supervision/worker_group.h"
#include "monitoring/check.h"
#include "tests/support/file_content.h"
#include "tests/support/temporary_folder.h"

namespace stc::launcher {
namespace {

using test::content;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Optional;

TEST(WorkerLine, IsTheRanksIfMpirunTaggedIt) {
  const auto line = parse_worker_line("[1,12]<stderr>:loss [1,2]<x>: 3");
  EXPECT_EQ(line.rank, 12);
  EXPECT_EQ(line.line, "loss [1,2]<x>: 3");
  EXPECT_EQ(parse_worker_line("[1,0]<stdout>:").line, "");
  for (const auto* own : {"", "-----", "[vm:123] error", "[1,x]<stdout>:a"}) {
    EXPECT_EQ(parse_worker_line(own).rank, -1);
    EXPECT_EQ(parse_worker_line(own).line, own);
  }
}

TEST(LostRank, IsReadFromTheLinesOfMpirun) {
  const auto killed = lost_rank_in(
      {"----",
       "mpirun noticed that process rank 2 with PID 0 on node vm exited on signal 9 (Killed).",
       "----"});
  ASSERT_TRUE(killed);
  EXPECT_EQ(killed->rank, 2);
  EXPECT_EQ(killed->how, "was killed by signal 9 (Killed)");
  const auto ended = lost_rank_in({"  Process name: [[7375,1],13]", "  Exit code:    4"});
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->rank, 13);
  EXPECT_EQ(ended->how, "ended with exit code 4");
  const auto gave_up = lost_rank_in(
      {"MPI_ABORT was invoked on rank 3 in communicator MPI_COMM_WORLD", "with errorcode 4."});
  ASSERT_TRUE(gave_up);
  EXPECT_EQ(gave_up->rank, 3);
  EXPECT_EQ(gave_up->how, "ended with exit code 4");
  EXPECT_FALSE(lost_rank_in({"There are not enough slots available", ""}));
}

class WorkerOutputTest : public ::testing::Test {
 protected:
  const test::TemporaryFolder folder_;
};

TEST_F(WorkerOutputTest, PutsTheRankInFrontOnce) {
  WorkerOutput output("");
  EXPECT_THAT(output.take("[1,1]<stdout>:hello", 4), Optional(std::string("[rank 1/4] hello")));
  EXPECT_THAT(output.take("[1,1]<stderr>:[rank 1/4] hello", 4),
              Optional(std::string("[rank 1/4] hello")));
  EXPECT_THAT(output.take("[1,0]<stderr>:alone", 1), Optional(std::string("alone")));
  EXPECT_EQ(output.take("mpirun noticed", 4), std::nullopt);
  EXPECT_THAT(output.mpirun_lines(), ElementsAre("mpirun noticed"));
}

TEST_F(WorkerOutputTest, KeepsTheLastFiveLinesOfEachRank) {
  WorkerOutput output("");
  for (int i = 0; i < 7; ++i) output.take("[1,0]<stderr>:" + std::to_string(i), 2);
  output.take("[1,1]<stderr>:other", 2);
  EXPECT_THAT(output.last_lines(0), ElementsAre("2", "3", "4", "5", "6"));
  EXPECT_THAT(output.last_lines(1), ElementsAre("other"));
  output.forget();
  EXPECT_THAT(output.last_lines(0), IsEmpty());
}

// The run makes its folder itself, and refuses one that already exists.
TEST_F(WorkerOutputTest, WaitsForTheRunsFolderAndLosesNothing) {
  const std::string log = folder_.path() + "/run/log";
  WorkerOutput output(log);
  output.take("[1,0]<stderr>:before", 2);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/run"));
  std::filesystem::create_directories(log);
  output.take("[1,0]<stderr>:after", 2);
  output.take("[1,1]<stderr>:other", 2);
  EXPECT_EQ(content(log + "/rank-0.out"), "before\nafter\n");
  EXPECT_EQ(content(log + "/rank-1.out"), "other\n");
}

TEST(MpirunCommand, PlacesTheWorkers) {
  EXPECT_THAT(mpirun_command({2, 0, "", ""}, {"/bin/stc", "train", "--x"}),
              ElementsAre("mpirun",
                          "-np",
                          "2",
                          "--bind-to",
                          "none",
                          "--oversubscribe",
                          "--tag-output",
                          "-x",
                          "STC_LAUNCH",
                          "-x",
                          "STC_RESTARTS",
                          "/bin/stc",
                          "train",
                          "--x"));
  EXPECT_THAT(mpirun_command({16, 8, "nodes.txt", "a,b"}, {"stc"}),
              IsSupersetOf({"ppr:8:node", "--hostfile", "nodes.txt", "--host", "a,b", "16"}));
}

std::vector<std::string> wait_for_end(WorkerGroup& group) {
  std::vector<std::string> all;
  while (group.running()) {
    for (auto& line : group.read_lines()) all.push_back(line);
  }
  for (auto& line : group.read_lines()) all.push_back(line);
  return all;
}

TEST(WorkerGroup, DeliversBothStreamsLineByLineAndTheExitCode) {
  WorkerGroup group(
      {"bash", "-c", "echo one; echo two >&2; printf 'half'; sleep 0.05; echo ' three'; exit 3"});
  EXPECT_THAT(wait_for_end(group), ElementsAre("one", "two", "half three"));
  EXPECT_EQ(group.exit_code(), 3);
  EXPECT_FALSE(group.was_killed());
}

TEST(WorkerGroup, ReportsAMissingProgram) {
  WorkerGroup group({"no-such-program-anywhere"});
  wait_for_end(group);
  EXPECT_THROW(group.exit_code(), Error);
}

// mpirun killed: its workers become the launcher's children, and it ends them.
TEST(WorkerGroup, LeavesNoGrandchildBehind) {
  pid_t grandchild = 0;
  {
    WorkerGroup group({"bash", "-c", "sleep 1000 & echo $!; wait"});
    while (grandchild == 0) {
      for (const auto& line : group.read_lines()) grandchild = std::stoi(line);
    }
    group.signal(SIGKILL);
    while (group.running()) {
    }
    EXPECT_TRUE(group.was_killed());
    EXPECT_EQ(group.exit_code(), 137);
    EXPECT_EQ(kill(grandchild, 0), 0);
    group.end_all();
    EXPECT_EQ(kill(grandchild, 0), -1);
  }
}

}  // namespace
}  // namespace stc::launcher
