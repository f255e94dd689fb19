#include "launcher/run_folder/checkpoint.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "monitoring/check.h"
#include "tests/support/small_disk.h"
#include "tests/support/temporary_folder.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using testing::internal::CaptureStderr;
using testing::internal::GetCapturedStderr;

Checkpoint checkpoint_of(std::int64_t step) {
  const auto value = static_cast<double>(step);
  Checkpoint checkpoint;
  checkpoint.step = step;
  checkpoint.model = {{"conv1.weight", at::full({4, 3, 2, 2}, value)}};
  checkpoint.method = {{"queue", at::full({8, 2}, value + 0.5, at::kDouble)},
                       {"queue_pointer", at::full({}, step, at::kLong)}};
  checkpoint.optimizer = {{"momentum", at::full({100}, value / 3)}};
  checkpoint.state = text("{\"step\": {}}", step);
  return checkpoint;
}

void expect_equal(const data::NamedTensors& got, const data::NamedTensors& expected) {
  ASSERT_EQ(got.size(), expected.size());
  for (const auto& [name, tensor] : expected) {
    ASSERT_TRUE(got.contains(name)) << name;
    EXPECT_EQ(got.at(name).scalar_type(), tensor.scalar_type()) << name;
    EXPECT_TRUE(at::equal(got.at(name), tensor)) << name;
  }
}

class CheckpointTest : public testing::Test {
 protected:
  void save(std::int64_t step) { store().save(checkpoint_of(step)); }
  CheckpointStore store(std::int64_t keep = 10) { return CheckpointStore(checkpoints_, keep); }
  std::string inside(std::int64_t step, const std::string& file = "") const {
    char name[32];
    std::snprintf(name, sizeof name, "/step-%08lld", static_cast<long long>(step));
    return checkpoints_ + name + (file.empty() ? "" : "/" + file);
  }
  std::vector<std::string> entries() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(checkpoints_)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
  // Restores; expects step `step`, and returns what was skipped.
  std::vector<std::string> expect_restored(std::int64_t step) {
    const auto [restored, skipped] = store().restore();
    EXPECT_TRUE(restored.has_value());
    if (!restored) return skipped;
    const Checkpoint expected = checkpoint_of(step);
    EXPECT_EQ(restored->step, step);
    EXPECT_EQ(restored->state, expected.state);
    expect_equal(restored->model, expected.model);
    expect_equal(restored->method, expected.method);
    expect_equal(restored->optimizer, expected.optimizer);
    return skipped;
  }
  void flip_byte(const std::string& path, std::int64_t from_end) {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(-from_end, std::ios::end);
    const char byte = static_cast<char>(file.peek() ^ 1);
    file.seekp(-from_end, std::ios::end);
    file.put(byte);
  }
  std::string data_error(const std::function<void()>& body) {
    try {
      body();
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::kBadData) << error.what();
      return error.what();
    }
    return "nothing was thrown";
  }

  test::TemporaryFolder folder_;
  std::string run_ = folder_ / "run";
  std::string checkpoints_ = run_ + "/checkpoints";
};

TEST_F(CheckpointTest, GivesBackWhatWasSaved) {
  save(1000);
  EXPECT_THAT(entries(), ElementsAre("step-00001000"));
  EXPECT_THAT(expect_restored(1000), IsEmpty());
}

TEST_F(CheckpointTest, FolderHoldsTheFiveFilesAndNothingElse) {
  save(1);
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(inside(1))) {
    names.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(names,
              UnorderedElementsAre("model.safetensors",
                                   "method.safetensors",
                                   "optimizer.safetensors",
                                   "state.json",
                                   "MANIFEST"));
}

TEST_F(CheckpointTest, MethodMayBeEmpty) {
  Checkpoint checkpoint = checkpoint_of(3);
  checkpoint.method.clear();
  store().save(checkpoint);
  const auto restored = store().restore().checkpoint;
  ASSERT_TRUE(restored.has_value());
  EXPECT_THAT(restored->method, IsEmpty());
}

TEST_F(CheckpointTest, NothingToRestoreIsNoError) {
  const auto [restored, skipped] = store().restore();
  EXPECT_FALSE(restored.has_value());
  EXPECT_THAT(skipped, IsEmpty());
}

TEST_F(CheckpointTest, RestoresTheNewestByNumber) {
  for (const std::int64_t step : {99999999, 5, 100000001}) save(step);
  expect_restored(100000001);
}

TEST_F(CheckpointTest, KeepsTheNewest) {
  auto kept = store(2);
  for (std::int64_t step = 1; step <= 5; ++step) kept.save(checkpoint_of(step));
  EXPECT_THAT(entries(), UnorderedElementsAre("step-00000004", "step-00000005"));
}

TEST_F(CheckpointTest, NeverRemovesTheOneItRestoredFrom) {
  save(1);
  auto kept = store(2);
  ASSERT_TRUE(kept.restore().checkpoint.has_value());
  for (std::int64_t step = 2; step <= 5; ++step) kept.save(checkpoint_of(step));
  EXPECT_THAT(entries(), UnorderedElementsAre("step-00000001", "step-00000004", "step-00000005"));
}

TEST_F(CheckpointTest, BrokenOnesOfALaterStepDoNotCountAsKept) {
  for (const std::int64_t step : {1, 8, 9}) save(step);
  fs::remove(inside(8, "MANIFEST"));
  fs::remove(inside(9, "MANIFEST"));
  auto kept = store(2);
  ASSERT_TRUE(kept.restore().checkpoint.has_value());
  kept.save(checkpoint_of(2));
  kept.save(checkpoint_of(3));
  expect_restored(3);
  EXPECT_THAT(entries(), testing::Contains("step-00000002"));
}

TEST_F(CheckpointTest, FewerThanTwoIsAUsageError) {
  try {
    store(1);
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("checkpoint.keep is 1"));
  }
}

TEST_F(CheckpointTest, EachWayToBreakOneIsPassedOverWithItsReason) {
  const struct {
    std::function<void()> damage;
    std::string reason;
  } cases[] = {
      {[this] { fs::resize_file(inside(200, "optimizer.safetensors"), 100); },
       "optimizer.safetensors is 100 bytes, MANIFEST says "},
      {[this] { fs::remove(inside(200, "method.safetensors")); }, "method.safetensors is missing"},
      {[this] { fs::remove(inside(200, "MANIFEST")); }, "it has no MANIFEST"},
      {[this] { fs::resize_file(inside(200, "MANIFEST"), 40); }, "MANIFEST is damaged"},
      {[this] { fs::resize_file(inside(200, "MANIFEST"), 0); }, "MANIFEST is damaged"},
      {[this] { std::ofstream(inside(200, "state.json"), std::ios::app) << "\n"; },
       "state.json is "},
      {[this] { std::ofstream(inside(200, "MANIFEST")) << "{\"format\":\"x\"}"; }, "MANIFEST is "},
      {[this] {
         fs::remove_all(inside(200));
         std::ofstream(inside(200)) << "a file";
       },
       "it is not a folder"},
      {[this] {
         fs::copy_file(
             inside(1, "MANIFEST"), inside(200, "MANIFEST"), fs::copy_options::overwrite_existing);
       },
       "MANIFEST is of step 1"},
  };
  save(1);
  for (const auto& [damage, reason] : cases) {
    save(200);
    damage();
    EXPECT_THAT(expect_restored(1), ElementsAre(HasSubstr("step-00000200: " + reason)));
    save(200);  // takes the place of the broken one
    EXPECT_THAT(expect_restored(200), IsEmpty());
  }
}

TEST_F(CheckpointTest, AnyFileCutOrDeletedIsFound) {
  save(1);
  for (const std::string file : {"model.safetensors",
                                 "method.safetensors",
                                 "optimizer.safetensors",
                                 "state.json",
                                 "MANIFEST"}) {
    const std::string path = inside(2, file);
    const std::function<void()> damages[] = {
        [&] { fs::remove(path); },
        [&] { fs::resize_file(path, 0); },
        [&] { fs::resize_file(path, fs::file_size(path) / 2); },
        // MANIFEST ends with "}\n": without the line's end it is complete.
        [&] { fs::resize_file(path, fs::file_size(path) - 2); },
    };
    for (const auto& damage : damages) {
      save(2);
      damage();
      EXPECT_THAT(expect_restored(1), ElementsAre(HasSubstr(file))) << file;
    }
  }
}

TEST_F(CheckpointTest, FlippedBitInAnyFileIsFound) {
  save(1);
  for (const std::string file :
       {"model.safetensors", "method.safetensors", "optimizer.safetensors", "state.json"}) {
    for (const std::int64_t from_end : {std::int64_t{1}, std::int64_t{5}}) {
      save(2);
      flip_byte(inside(2, file), from_end);
      EXPECT_THAT(expect_restored(1),
                  ElementsAre(HasSubstr("step-00000002: " + file + " has changed")));
    }
  }
}

TEST_F(CheckpointTest, FlippedBitAnywhereInTheManifestIsFoundOrHarmless) {
  save(1);
  save(2);
  const auto length = static_cast<std::int64_t>(fs::file_size(inside(2, "MANIFEST")));
  for (std::int64_t from_end = 1; from_end <= length; ++from_end) {
    flip_byte(inside(2, "MANIFEST"), from_end);
    const auto restored = store().restore().checkpoint;
    ASSERT_TRUE(restored.has_value());
    expect_equal(restored->model, checkpoint_of(restored->step).model);
    flip_byte(inside(2, "MANIFEST"), from_end);
  }
}

TEST_F(CheckpointTest, SkipsSeveralAndReportsWhyOfEach) {
  for (const std::int64_t step : {1, 2, 3}) save(step);
  fs::remove(inside(3, "MANIFEST"));
  fs::remove(inside(2, "state.json"));
  EXPECT_THAT(
      expect_restored(1),
      ElementsAre(HasSubstr("step-00000003: "), HasSubstr("step-00000002: state.json is missing")));
}

TEST_F(CheckpointTest, AllBrokenRestoresNothingAndSaysWhy) {
  save(1);
  fs::remove(inside(1, "MANIFEST"));
  const auto [restored, skipped] = store().restore();
  EXPECT_FALSE(restored.has_value());
  EXPECT_THAT(skipped, ElementsAre(HasSubstr("step-00000001: ")));
}

TEST_F(CheckpointTest, LeftoversOfAKilledProcessGoAndForeignFilesStay) {
  save(1);
  fs::create_directories(checkpoints_ + "/.tmp-step-00000002/x");
  fs::create_directories(checkpoints_ + "/step-2");  // no name of ours
  std::ofstream(checkpoints_ + "/notes.txt") << "mine";
  EXPECT_THAT(expect_restored(1), IsEmpty());
  EXPECT_THAT(entries(), UnorderedElementsAre("step-00000001", "step-2", "notes.txt"));
}

TEST_F(CheckpointTest, KilledAtAnyMomentTheNewestCompleteOneIsRestored) {
  save(1);
  for (int delay_us = 0; delay_us < 40000; delay_us += 2000) {
    const pid_t child = ::fork();
    if (child == 0) {
      CheckpointStore writer(checkpoints_, 2);
      for (std::int64_t step = 2;; ++step) writer.save(checkpoint_of(step));
    }
    ::usleep(static_cast<useconds_t>(delay_us));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    const auto [restored, skipped] = store().restore();
    ASSERT_TRUE(restored.has_value());
    EXPECT_THAT(skipped, IsEmpty());
    expect_equal(restored->optimizer, checkpoint_of(restored->step).optimizer);
    for (const auto& name : entries()) EXPECT_THAT(name, testing::StartsWith("step-"));
  }
}

TEST_F(CheckpointTest, FullDiskLeavesTheOldOnesWholeAndNoHalfFolder) {
  save(1);
  Checkpoint large = checkpoint_of(2);
  large.optimizer["momentum"] = at::zeros({10000});
  for (const rlim_t bytes : {rlim_t{0}, rlim_t{200}, rlim_t{2000}}) {
    std::string message = "nothing was thrown";
    try {
      const test::SmallDisk disk(bytes);
      store().save(large);
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::kFailed);
      message = error.what();
    }
    EXPECT_THAT(message,
                AllOf(HasSubstr("step-00000002"),
                      HasSubstr("earlier ones are untouched"),
                      HasSubstr("File too large")));
    EXPECT_THAT(entries(), ElementsAre("step-00000001"));
  }
  EXPECT_THAT(expect_restored(1), IsEmpty());
}

TEST_F(CheckpointTest, SavingAStepAgainReplacesIt) {
  save(1);
  Checkpoint other = checkpoint_of(1);
  other.state = "another";
  store().save(other);
  EXPECT_EQ(store().restore().checkpoint->state, "another");
  EXPECT_THAT(entries(), ElementsAre("step-00000001"));
}

data::NamedTensors weights_of(const std::string& path) {
  return data::read_safetensors(weights_file(path)).tensors;
}

TEST_F(CheckpointTest, WeightsAreReadFromAFileACheckpointAndARun) {
  save(1);
  save(2);
  data::write_safetensors(folder_ / "w.safetensors", checkpoint_of(7).model);
  expect_equal(weights_of(folder_ / "w.safetensors"), checkpoint_of(7).model);
  expect_equal(weights_of(inside(1)), checkpoint_of(1).model);
  expect_equal(weights_of(inside(1) + "/"), checkpoint_of(1).model);
  expect_equal(weights_of(run_), checkpoint_of(2).model);
  data::write_safetensors(run_ + "/weights.safetensors", checkpoint_of(9).model);
  expect_equal(weights_of(run_), checkpoint_of(9).model);
}

TEST_F(CheckpointTest, WeightsOfACopiedCheckpointAreReadUnderItsNewName) {
  save(1);
  fs::copy(inside(1), folder_ / "best");
  expect_equal(weights_of(folder_ / "best"), checkpoint_of(1).model);
}

TEST_F(CheckpointTest, WeightsOfALiveRunAreReadWithoutTouchingIt) {
  save(1);
  save(2);
  fs::remove(inside(2, "MANIFEST"));
  fs::create_directories(checkpoints_ + "/.tmp-step-00000003");
  CaptureStderr();
  expect_equal(weights_of(run_), checkpoint_of(1).model);
  EXPECT_THAT(GetCapturedStderr(), HasSubstr("skipped step-00000002: it has no MANIFEST"));
  EXPECT_THAT(entries(), testing::Contains(".tmp-step-00000003"));
}

TEST_F(CheckpointTest, BadWeightsPathsAreBadDataNamingThePath) {
  save(1);
  flip_byte(inside(1, "model.safetensors"), 1);
  CaptureStderr();
  EXPECT_THAT(data_error([&] { weights_file(inside(1)); }),
              AllOf(HasSubstr(inside(1)), HasSubstr("model.safetensors has changed")));
  EXPECT_THAT(data_error([&] { weights_file(run_); }), HasSubstr("no complete checkpoint"));
  EXPECT_THAT(data_error([&] { weights_file(folder_.path()); }),
              AllOf(HasSubstr(folder_.path()), HasSubstr("holds no weights")));
  EXPECT_THAT(data_error([&] { weights_of(folder_ / "none"); }), HasSubstr(folder_ / "none"));
  GetCapturedStderr();
}

}  // namespace
}  // namespace stc::launcher
