#include "launcher/training/step_watch.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "monitoring/check.h"
#include "tests/support/temporary_folder.h"

namespace stc::launcher {
namespace {

using activity::Phase;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

void run_step(StepWatch& watch, std::int64_t step) {
  watch.begin_step(step);
  watch.enter(Phase::kDataWait);
  watch.enter(Phase::kForward);
  const auto x = at::rand({8, 8}).set_requires_grad(true);
  const auto y = at::mm(x, x).sum();
  watch.enter(Phase::kBackward);
  y.backward();
  watch.enter(Phase::kUpdate);
  x.grad().mul_(2);
  watch.end_step();
}

/// The events of a trace that last, by their names.
struct Events {
  explicit Events(const std::string& path) {
    std::ifstream in(path);
    const json trace = json::parse(in);
    for (const auto& event : trace.at("traceEvents"))
      if (event.at("ph") == "X") all.push_back(event);
  }
  std::vector<json> of(const std::string& name) const {
    std::vector<json> found;
    for (const auto& event : all)
      if (event.at("name") == name) found.push_back(event);
    return found;
  }
  std::vector<json> all;
};

bool is_within(const json& inner, const json& outer) {
  const auto begin = [](const json& event) { return event.at("ts").get<double>(); };
  const auto end = [&](const json& event) { return begin(event) + event.at("dur").get<double>(); };
  return begin(inner) >= begin(outer) && end(inner) <= end(outer);
}

TEST(StepWatch, TracesTheStepsThatAreAskedForWithTheirPhasesAsRanges) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() + "/trace/rank-0.json";
  StepWatch watch({.trace_steps = "2:3", .trace_file = path});
  run_step(watch, 1);
  run_step(watch, 2);
  EXPECT_FALSE(std::filesystem::exists(path));
  run_step(watch, 3);
  const Events events(path);
  run_step(watch, 4);
  EXPECT_TRUE(events.of("ProfilerStep#1").empty());
  EXPECT_TRUE(events.of("ProfilerStep#4").empty());
  for (const char* step : {"ProfilerStep#2", "ProfilerStep#3"})
    ASSERT_EQ(events.of(step).size(), 1) << step;
  for (const auto& [phase, operation] : {std::pair{"data wait", ""},
                                         {"forward", "aten::mm"},
                                         {"backward", "aten::mm"},
                                         {"update", "aten::mul_"}}) {
    const auto found = events.of(phase);
    ASSERT_EQ(found.size(), 2) << phase;
    EXPECT_TRUE(is_within(found[0], events.of("ProfilerStep#2")[0])) << phase;
    EXPECT_TRUE(is_within(found[1], events.of("ProfilerStep#3")[0])) << phase;
    if (*operation == '\0') continue;
    EXPECT_TRUE(std::ranges::any_of(events.of(operation), [&](const json& event) {
      return is_within(event, found[0]);
    })) << phase;
  }
}

TEST(StepWatch, BeginsATraceLateInARunThatResumesWithinItsSteps) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() + "/rank-0.json";
  StepWatch watch({.trace_steps = "2:5", .trace_file = path});
  for (const int step : {4, 5}) run_step(watch, step);
  EXPECT_EQ(Events(path).of("ProfilerStep#4").size(), 1);
}

TEST(StepWatch, WritesTheTraceOfARunThatStopsBeforeItsLastStep) {
  const test::TemporaryFolder folder;
  const auto path = folder.path() + "/rank-0.json";
  {
    StepWatch watch({.trace_steps = "1:100", .trace_file = path});
    run_step(watch, 1);
    watch.begin_step(2);
    watch.enter(Phase::kForward);
  }
  EXPECT_EQ(Events(path).of("ProfilerStep#1").size(), 1);
}

TEST(StepWatch, GoesOnWithoutATraceThatCannotBeWritten) {
  const test::TemporaryFolder folder;
  std::ofstream(folder.path() + "/file") << "no folder";
  testing::internal::CaptureStderr();
  StepWatch watch({.trace_steps = "1:1", .trace_file = folder.path() + "/file/rank-0.json"});
  run_step(watch, 1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("no trace of steps 1 to 1"));
  run_step(watch, 2);
}

TEST(StepWatch, SaysWhatTheProcessIsDoing) {
  StepWatch watch({});
  watch.begin_step(7);
  watch.enter(Phase::kBackward);
  EXPECT_EQ(activity::now().step, 7);
  EXPECT_EQ(activity::now().phase, Phase::kBackward);
  watch.end_step();
}

TEST(StepWatch, CountsTheOperationsOfItsFirstStepAlone) {
  StepWatch watch({});
  EXPECT_FALSE(watch.operations_per_step());
  run_step(watch, 5);
  ASSERT_TRUE(watch.operations_per_step());
  EXPECT_EQ(watch.operations_per_step()->floating_point, 3 * 2 * 8 * 8 * 8);
  const auto calls = watch.operations_per_step()->aten_calls;
  run_step(watch, 6);
  EXPECT_EQ(watch.operations_per_step()->aten_calls, calls);
}

TEST(StepWatch, SaysWhichPhaseOfWhichStepHadNotEnoughMemory) {
  StepWatch watch({.samples = 64});
  watch.begin_step(3);
  watch.enter(Phase::kBackward);
  const auto fail = [] {
    throw c10::OutOfMemoryError({}, "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0");
  };
  try {
    watch.explain_lack_of_memory(fail);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kFailed);
    EXPECT_THAT(
        error.what(),
        HasSubstr("step 3, backward: the GPU's memory does not suffice: asked for 2.0 GiB"));
  }
  EXPECT_EQ(watch.explain_lack_of_memory([] { return 7; }), 7);
  EXPECT_FALSE(watch.memory_peak());
}

TEST(TracedSteps, AreTheFirstAndTheLast) {
  EXPECT_FALSE(traced_steps(""));
  EXPECT_EQ(traced_steps("100:105")->first, 100);
  EXPECT_EQ(traced_steps("100:105")->last, 105);
  EXPECT_EQ(traced_steps("7:7")->last, 7);
}

TEST(TracedSteps, OfAnotherFormAreAnErrorThatSaysWhatIsExpected) {
  for (const char* wrong : {"100", "5:4", "0:3", ":", "a:b", "1:2:3", " 1:2", "-1:2", "1-2"}) {
    try {
      traced_steps(wrong);
      ADD_FAILURE() << wrong << " is accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::kUsage);
      EXPECT_THAT(error.what(), HasSubstr(text("train.trace_steps is \"{}\"; expected", wrong)));
    }
  }
}

}  // namespace
}  // namespace stc::launcher
