#include "launcher/run_folder/checkpoint_writer.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <stdexcept>
#include <thread>

#include "monitoring/check.h"
#include "monitoring/log.h"
#include "monitoring/stopwatch.h"
#include "tests/support/scrape.h"
#include "tests/support/small_disk.h"
#include "tests/support/temporary_folder.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using test::SmallDisk;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::UnorderedElementsAre;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

constexpr std::int64_t kValues = 1 << 20;

class CheckpointWriterTest : public testing::Test {
 protected:
  // The state of a training whose every value is `step`, as live tensors.
  Checkpoint live(std::int64_t step) {
    for (const auto& tensor : {weights_, queue_, momentum_}) {
      at::Tensor live = tensor;
      live.fill_(static_cast<double>(step));
    }
    return {step,
            {{"weights", weights_}},
            {{"queue", queue_}, {"pointer", at::full({1}, step, at::kLong)}},
            {{"momentum", momentum_}},
            text("{\"step\":{}}", step)};
  }
  void save(CheckpointWriter& writer, std::int64_t step) {
    writer.save(step, [&] { return live(step); });
  }
  std::vector<std::string> entries() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path()))
      names.push_back(entry.path().filename().string());
    return names;
  }
  // The newest checkpoint on the disk holds `step` in every value.
  void expect_on_disk(std::int64_t step) {
    const auto [found, skipped] = CheckpointStore(folder_.path(), 2).restore();
    ASSERT_TRUE(found.has_value());
    EXPECT_THAT(skipped, IsEmpty());
    EXPECT_EQ(found->step, step);
    EXPECT_EQ(found->state, text("{\"step\":{}}", step));
    for (const auto* part : {&found->model, &found->method, &found->optimizer})
      for (const auto& [name, tensor] : *part)
        EXPECT_TRUE(tensor.eq(step).all().item<bool>()) << name;
    EXPECT_EQ(found->method.size(), 2);
  }

  test::TemporaryFolder folder_;
  monitoring::Metrics off_{{-1, "", 0, "", "", ""}};
  CheckpointStore store_{folder_.path(), 2};
  at::Tensor weights_ = at::zeros({kValues / 16, 16});
  at::Tensor queue_ = at::zeros({kValues}, at::kDouble);
  at::Tensor momentum_ = at::zeros({4, 3, 64, 64}).contiguous(at::MemoryFormat::ChannelsLast);
};

TEST_F(CheckpointWriterTest, WritesTheStateOfTheMomentOfTheSave) {
  CheckpointWriter writer(store_, off_);
  for (std::int64_t step = 1; step <= 5; ++step) {
    save(writer, step);
    live(100 + step);  // training goes on, while the thread writes
    EXPECT_EQ(writer.wait(), "");
    expect_on_disk(step);
  }
}

TEST_F(CheckpointWriterTest, OneAfterTheOtherInTheOrderOfTheSaves) {
  {
    CheckpointWriter writer(store_, off_);
    for (std::int64_t step = 1; step <= 4; ++step) save(writer, step);
  }  // waits
  expect_on_disk(4);
  EXPECT_THAT(entries(), UnorderedElementsAre("step-00000003", "step-00000004"));
}

TEST_F(CheckpointWriterTest, StateOfAnotherShapeTakesThePlaceOfTheKeptCopy) {
  CheckpointWriter writer(store_, off_);
  save(writer, 1);
  weights_ = at::zeros({7});
  momentum_ = at::zeros({2, 2}, at::kHalf);
  save(writer, 2);
  EXPECT_EQ(writer.wait(), "");
  expect_on_disk(2);
  const auto found = store_.restore().checkpoint;
  EXPECT_EQ(found->model.at("weights").sizes(), at::IntArrayRef({7}));
  EXPECT_EQ(found->optimizer.at("momentum").scalar_type(), at::kHalf);
}

TEST_F(CheckpointWriterTest, FullDiskIsReportedAndTheNextSaveTriesAgain) {
  monitoring::Metrics metrics({});
  const auto scrape = [&] { return test::scrape(metrics.port()); };
  CheckpointWriter writer(store_, metrics);
  save(writer, 1);
  EXPECT_EQ(writer.wait(), "");
  {
    const SmallDisk disk(100000);
    CaptureStderr();
    save(writer, 2);
    const std::string failure = writer.wait();
    EXPECT_THAT(failure, AllOf(HasSubstr("step-00000002"), HasSubstr("File too large")));
    EXPECT_THAT(GetCapturedStderr(),
                AllOf(HasSubstr(folder_ / "step-00000002 was not written"),
                      HasSubstr("File too large"),
                      HasSubstr("resumes from the checkpoint of step 1"),
                      HasSubstr("make room")));
  }
  EXPECT_THAT(entries(), ElementsAre("step-00000001"));
  expect_on_disk(1);
  EXPECT_THAT(scrape(), HasSubstr("\nstc_checkpoint_failures_total{node=\"\",rank=\"0\"} 1\n"));
  EXPECT_THAT(scrape(), HasSubstr("\nstc_checkpoint_step{node=\"\",rank=\"0\"} 1\n"));

  save(writer, 3);
  EXPECT_EQ(writer.wait(), "");
  expect_on_disk(3);
  EXPECT_THAT(scrape(), HasSubstr("\nstc_checkpoint_failures_total{node=\"\",rank=\"0\"} 1\n"));
  EXPECT_THAT(scrape(), HasSubstr("\nstc_checkpoint_step{node=\"\",rank=\"0\"} 3\n"));
  EXPECT_THAT(scrape(),
              HasSubstr("\nstc_checkpoint_stall_seconds_count{node=\"\",rank=\"0\"} 3\n"));
}

TEST_F(CheckpointWriterTest, FailureIsReportedByPollByTheNextSaveAndAtTheEnd) {
  const SmallDisk disk(100000);
  int lines = 0;
  log::before_terminal_line([&] { ++lines; });
  CaptureStderr();
  {
    CheckpointWriter writer(store_, off_);
    save(writer, 1);
    const Stopwatch clock;
    while (lines == 0 && clock.seconds() < 30) {
      writer.poll();
      std::this_thread::yield();
    }
    EXPECT_EQ(lines, 1);
    save(writer, 2);
    save(writer, 3);
  }
  const std::string told = GetCapturedStderr();
  log::before_terminal_line({});
  EXPECT_EQ(lines, 3);
  for (const char* name : {"step-00000001", "step-00000002", "step-00000003"})
    EXPECT_THAT(told, HasSubstr(name));
  EXPECT_THAT(told, HasSubstr("resumes from its beginning: " + folder_.path() + " holds no"));
  EXPECT_THAT(entries(), IsEmpty());
}

TEST_F(CheckpointWriterTest, StateThatCannotBeCopiedIsAFailedSaveAndNoError) {
  CheckpointWriter writer(store_, off_);
  save(writer, 1);
  CaptureStderr();
  writer.save(2, []() -> Checkpoint { throw std::runtime_error("no memory left\nbacktrace"); });
  EXPECT_THAT(writer.wait(), HasSubstr("checkpoint of step 2 was not written: no memory left"));
  EXPECT_THAT(
      GetCapturedStderr(),
      AllOf(HasSubstr("resumes from the checkpoint of step 1"), Not(HasSubstr("backtrace"))));
  expect_on_disk(1);
}

}  // namespace
}  // namespace stc::launcher
