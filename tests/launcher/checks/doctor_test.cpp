#include <gmock/gmock.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "launcher/checks/host_facts.h"
#include "launcher/commands.h"
#include "monitoring/check.h"
#include "tests/support/temporary_folder.h"

namespace stc::launcher {
namespace {

struct Outcome {
  int exit = 0;
  std::string output;
};

Outcome doctor(const std::string& arguments) {
  CLI::App app;
  Action action;
  add_doctor(app, action);
  app.parse("doctor " + arguments);
  testing::internal::CaptureStdout();
  Outcome outcome;
  outcome.exit = action();
  std::fflush(stdout);
  outcome.output = testing::internal::GetCapturedStdout();
  return outcome;
}

nlohmann::json finding(const nlohmann::json& report, const std::string& topic) {
  for (const auto& entry : report.at("findings")) {
    if (entry.at("topic") == topic) return entry;
  }
  return nullptr;
}

TEST(Doctor, FitsOnOneScreenAndNamesWhatTheProgramDependsOn) {
  const Outcome outcome = doctor("");
  EXPECT_EQ(outcome.exit, 0) << outcome.output;
  for (const char* topic : {"LibTorch",
                            "MPI",
                            "HDF5",
                            "OpenCV",
                            "FFmpeg",
                            "GPUs",
                            "memory",
                            "shared memory",
                            "limits",
                            "clock",
                            "signals",
                            "this folder"}) {
    EXPECT_THAT(outcome.output, testing::HasSubstr(topic));
  }
  EXPECT_LE(std::count(outcome.output.begin(), outcome.output.end(), '\n'), 32);
}

TEST(Doctor, AMissingDataFolderIsReportedAndFails) {
  const Outcome outcome = doctor("--json --data /no/such/folder");
  EXPECT_EQ(outcome.exit, 1);
  const auto report = nlohmann::json::parse(outcome.output);
  EXPECT_FALSE(report.at("fine").get<bool>());
  EXPECT_EQ(finding(report, "data").at("verdict"), "BROKEN");
  EXPECT_THAT(finding(report, "data").at("seen").get<std::string>(),
              testing::HasSubstr("/no/such/folder"));
}

TEST(Doctor, ADataFolderIsShownWithItsFileSystem) {
  const test::TemporaryFolder folder;
  const Outcome outcome = doctor("--json --data " + folder.path());
  EXPECT_EQ(outcome.exit, 0);
  const auto report = nlohmann::json::parse(outcome.output);
  EXPECT_EQ(finding(report, "data").at("verdict"), "ok");
}

TEST(HostFacts, OutputOfAProgramThatFailsIsEmpty) {
  EXPECT_EQ(output_of("echo found"), "found\n");
  EXPECT_EQ(output_of("false"), "");
  EXPECT_EQ(output_of("no-such-program-here"), "");
}

TEST(Doctor, EveryFindingThatIsNotFineSaysWhatToDo) {
  const auto report = nlohmann::json::parse(doctor("--json --data /no/such/folder").output);
  for (const auto& entry : report.at("findings")) {
    if (entry.at("verdict") != "ok") {
      EXPECT_NE(entry.at("advice"), "") << entry;
    }
  }
}

// Every program that it asks may be missing.
TEST(Doctor, RunsWithNoProgramInPath) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/no/such/folder", 1);
  const auto report = nlohmann::json::parse(doctor("--json").output);
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(finding(report, "MPI").at("verdict"), "warning");
  EXPECT_EQ(finding(report, "Slurm").at("verdict"), "absent");
}

TEST(HostFacts, CoresOfAQuotaAreItsShareOfThePeriod) {
  EXPECT_EQ(cores_of_quota("200000 100000"), 2);
  EXPECT_EQ(cores_of_quota("50000 100000"), 0.5);
  EXPECT_EQ(cores_of_quota("max 100000"), 0);
  EXPECT_EQ(cores_of_quota(""), 0);
}

TEST(HostFacts, MemoryIsWhatTheKernelReports) {
  const Memory memory = host_memory();
  EXPECT_GT(memory.available_bytes, 0);
  EXPECT_GT(memory.total_bytes, memory.available_bytes);
}

}  // namespace
}  // namespace stc::launcher
