#include "eval/jobs/benchmarks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "data/images/image.h"
#include "eval/jobs/evaluation_job.h"
#include "eval/scores/davis_scores.h"
#include "monitoring/check.h"
#include "tests/support/davis_files.h"
#include "tests/support/temporary_folder.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;
using namespace stc::test;
using testing::Contains;
using testing::HasSubstr;

// A tree with two sequences of four still frames, whose masks therefore are easy to follow.
class EvaluateDavis : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::string name : {"one", "two"}) {
      auto mask = label_map(48, 64);
      fill_box(mask, 8, 8, 24, 24, name == "one" ? 255 : 1);
      if (name == "two") fill_box(mask, 24, 40, 16, 16, 2);
      for (int t = 0; t < 4; ++t) {
        write_mask(root_ / "Annotations" / name, t, mask);
        const auto folder = root_ / "JPEGImages" / name;
        fs::create_directories(folder);
        data::write_png(mask_path(folder, t), picture_of(mask));
      }
    }
  }
  // Each object in a colour of its own, over a checkered ground.
  static data::Image picture_of(const data::LabelMap& mask) {
    data::Image image{mask.height, mask.width, {}};
    for (int y = 0; y < mask.height; ++y) {
      for (int x = 0; x < mask.width; ++x) {
        const int label = mask.at(y, x);
        const int ground = (x / 8 + y / 8) % 2 == 0 ? 20 : 60;
        for (int c = 0; c < 3; ++c)
          image.pixels.push_back(
              static_cast<std::uint8_t>(label == 0 ? ground : label * (70 + 40 * c) % 256));
      }
    }
    return image;
  }
  Benchmark benchmark(int half_window = 2) const {
    VideoOptions video;
    video.propagation.half_window = half_window;
    return davis_benchmark(data::open_davis(root_.string(), {.split = ""}),
                           {trunk_, {{video, out_.string()}}, {.short_side = 48}, true});
  }
  // All clips of one rank.
  JobResult evaluate(const Benchmark& benchmark, bool keep_going = false) {
    std::int64_t ticket = 0;
    reported_.clear();
    skipped_ =
        evaluate_clips(benchmark,
                       {.next_ticket = [&] { return ticket++; },
                        .on_frame =
                            [&](const std::string& name, std::int64_t frame, std::int64_t frames) {
                              reported_.push_back(name + " " + std::to_string(frame) + "/" +
                                                  std::to_string(frames));
                            },
                        .keep_going = keep_going});
    return collect_records(benchmark.clips(), out_.string());
  }
  ScoreTables summary() {
    const auto davis = benchmark();
    return davis.summarise(out_.string(), evaluate(davis).records);
  }

  const models::ResNet trunk_{models::propagation_options(18, 8), 3};
  TemporaryFolder folder_;
  fs::path root_ = fs::path(folder_.path()) / "davis";
  fs::path out_ = fs::path(folder_.path()) / "out";
  std::vector<std::string> reported_;
  std::int64_t skipped_ = 0;
};

TEST_F(EvaluateDavis, WritesAMaskForEachFrameAndTheTables) {
  summary();
  for (const std::string name : {"one", "two"}) {
    for (int t = 0; t < 4; ++t) {
      const auto mask = data::read_label_png(mask_path(out_ / name, t));
      EXPECT_EQ(mask.height, 48);
      EXPECT_EQ(mask.width, 64);
      EXPECT_TRUE(
          fs::exists(fs::path(mask_path(out_ / "overlays" / name, t)).replace_extension("jpg")));
    }
    EXPECT_GT(fs::file_size(out_ / "overlays" / (name + ".mp4")), 500U);
  }
  for (const char* table :
       {"global_results.csv", "per-sequence_results.csv", "results.csv", "per-frame.csv"})
    EXPECT_TRUE(fs::exists(out_ / table)) << table;
  EXPECT_THAT(reported_, testing::SizeIs(8));
  EXPECT_EQ(reported_.back(), "two 4/4");
}

TEST_F(EvaluateDavis, FollowsStillObjects) {
  const auto numbers = summary().numbers;
  ASSERT_EQ(numbers["sequences"].size(), 2u);
  EXPECT_GT(numbers["j"]["mean"].get<double>(), 0.6);
}

TEST_F(EvaluateDavis, ReadsABinaryMaskAsObjectOneAndSaysSo) {
  const auto result = evaluate(benchmark());
  EXPECT_THAT(result.records[0]["notes"].get<std::vector<std::string>>(),
              Contains(HasSubstr("one: the first mask holds nothing but 0 and 255")));
  EXPECT_EQ(data::read_label_png(mask_path(out_ / "one", 0)).at(10, 10), 1);
}

TEST_F(EvaluateDavis, ScoresWhatItWroteAsTheScorerOfFoldersDoes) {
  const auto numbers = summary().numbers;
  const auto again =
      score_davis(data::open_davis(root_.string(), {.split = ""}), out_.string(), {.threads = 1});
  EXPECT_EQ(numbers["jf_mean"].get<double>(), again.jf_mean());
}

TEST_F(EvaluateDavis, ResumesWhereAnEarlierStartEnded) {
  const auto davis = benchmark();
  const auto whole = davis.summarise(out_.string(), evaluate(davis).records).numbers;
  EXPECT_EQ(skipped_, 0);
  fs::remove(out_ / "records" / "one.json");
  const auto resumed = davis.summarise(out_.string(), evaluate(davis).records).numbers;
  EXPECT_EQ(skipped_, 1);
  EXPECT_EQ(resumed, whole);
  for (const auto& line : reported_) EXPECT_TRUE(line.starts_with("one ")) << line;
}

TEST_F(EvaluateDavis, VariantsGiveWhatEachGivesAlone) {
  const auto wide = (out_ / "wide").string();
  VideoOptions narrow_video, wide_video;
  narrow_video.propagation.half_window = 2;
  wide_video.propagation.half_window = 5;
  const auto both =
      davis_benchmark(data::open_davis(root_.string(), {.split = ""}),
                      {trunk_,
                       {{narrow_video, (out_ / "narrow").string()}, {wide_video, wide}},
                       {.short_side = 48}});
  evaluate(both);
  const auto narrow = collect_records(both.clips(), (out_ / "narrow").string()).records;
  const auto alone = evaluate(benchmark(2)).records;
  for (std::size_t i = 0; i < alone.size(); ++i)
    EXPECT_EQ(narrow[i]["objects"], alone[i]["objects"]);
  EXPECT_THAT(collect_records(both.clips(), wide).failed, testing::IsEmpty());
}

TEST_F(EvaluateDavis, LeavesABadSequenceOutOnRequest) {
  const auto broken = mask_path(root_ / "JPEGImages" / "one", 2);
  fs::resize_file(broken, 20);
  const auto davis = benchmark();
  EXPECT_THROW(evaluate(davis), Error);
  const auto result = evaluate(davis, /*keep_going=*/true);
  EXPECT_TRUE(result.records[0].is_null());
  EXPECT_FALSE(result.records[1].is_null());
  EXPECT_THAT(result.failed, testing::ElementsAre(HasSubstr(broken)));
  EXPECT_EQ(davis.summarise(out_.string(), result.records).numbers["sequences"].size(), 1u);
}

TEST_F(EvaluateDavis, WritesMasksForFirstMasksAloneAndNoNumbers) {
  for (const std::string name : {"one", "two"})
    for (int t = 1; t < 4; ++t) fs::remove(mask_path(root_ / "Annotations" / name, t));
  const auto davis = benchmark();
  const auto result = evaluate(davis);
  EXPECT_THAT(result.records[1]["notes"].get<std::vector<std::string>>(),
              Contains(HasSubstr("only its first frame has a mask")));
  const auto tables = davis.summarise(out_.string(), result.records);
  EXPECT_TRUE(tables.numbers["jf_mean"].is_null());
  EXPECT_FALSE(tables.score.has_value());
  for (int t = 0; t < 4; ++t) EXPECT_TRUE(fs::exists(mask_path(out_ / "two", t))) << t;
}

TEST_F(EvaluateDavis, FindsFaultsOfMasksBeforeItPropagates) {
  auto small = label_map(24, 64);
  fill_box(small, 4, 8, 8, 8, 2);
  write_mask(root_ / "Annotations" / "two", 2, small);
  const auto result = evaluate(benchmark(), /*keep_going=*/true);
  EXPECT_THAT(result.failed, Contains(HasSubstr("two/00002.png: is 24x64")));
  EXPECT_FALSE(fs::exists(out_ / "two"));
}

}  // namespace
}  // namespace stc::eval
