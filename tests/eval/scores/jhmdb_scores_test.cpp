#include "eval/scores/jhmdb_scores.h"
#include "data/benchmarks/joint_positions.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "eval/scores/prediction_files.h"
#include "monitoring/check.h"
#include "tests/support/file_content.h"
#include "tests/support/jhmdb_files.h"
#include "tests/support/temporary_folder.h"

namespace stc::eval {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;
using namespace stc::test;

// Joints 48 pixels wide and 24 high: 0.6 of the diagonal is 32.2 pixels.
class ScoreJhmdb : public testing::Test {
 protected:
  ScoreJhmdb() {
    write_joints(root_, "jump/a", marching_joints(3, 20, 20, 0));
    write_joints(root_, "jump/b", marching_joints(1, 20, 20, 0));
  }
  data::JhmdbClip clip(const std::string& name, int images = 0) {
    return {name,
            (root_ / "joint_positions" / name / "joint_positions.mat").string(),
            std::vector<std::string>(images, "an image")};
  }
  /// The truth from the first frame on, each frame `error` pixels further right.
  void predict(const std::string& name, int frames, double error) {
    const auto points = data::read_joints(clip(name).joints).slice(0, 0, 1).repeat({frames, 1, 1});
    for (int t = 0; t < frames; ++t) points[t].select(1, 0).add_(error * t);
    fs::create_directories((out_ / name).parent_path());
    write_key_points(key_points_path(out_.string(), name), points);
  }
  JhmdbClipScore score(const data::JhmdbClip& of) { return score_jhmdb_clip(of, out_.string()); }
  std::string error(const data::JhmdbClip& of) {
    try {
      score(of);
    } catch (const Error& thrown) {
      EXPECT_EQ(thrown.exit(), Exit::kBadData);
      return thrown.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
  fs::path root_ = fs::path(folder_.path()) / "JHMDB";
  fs::path out_ = fs::path(folder_.path()) / "out";
};

TEST_F(ScoreJhmdb, PoolsTheFramesOfAllClips) {
  predict("jump/a", 3, 5);  // errors 0, 5, 10: within 0.1, 0.2, 0.4
  predict("jump/b", 1, 0);
  const auto scores = sum_jhmdb({score(clip("jump/a")), score(clip("jump/b"))});
  EXPECT_DOUBLE_EQ(scores.reference.mean[0], 2.0 / 4);
  EXPECT_DOUBLE_EQ(scores.reference.mean[1], 3.0 / 4);
  EXPECT_DOUBLE_EQ(scores.reference.mean[3], 1);
  EXPECT_DOUBLE_EQ(scores.later_frames.mean[0], 0);
  EXPECT_DOUBLE_EQ(scores.later_frames.mean[1], 1.0 / 2);
}

TEST_F(ScoreJhmdb, TakesTheFramesThatImagesAndTruthBothHave) {
  predict("jump/a", 5, 0);
  EXPECT_EQ(score(clip("jump/a", 5)).frames, 3);
  EXPECT_EQ(score(clip("jump/a", 2)).frames, 2);
  EXPECT_EQ(score(clip("jump/a", 2)).reference.scored[0], 2);
  EXPECT_EQ(score(clip("jump/a")).frames, 3);
}

TEST_F(ScoreJhmdb, NamesThePredictionThatIsAbsentOrTooShort) {
  EXPECT_THAT(error(clip("jump/a")), HasSubstr("out/jump/a.csv: no such prediction"));
  predict("jump/a", 2, 0);
  EXPECT_THAT(error(clip("jump/a")), HasSubstr("jump/a.csv: holds 2 frames; the clip has 3"));
}

TEST_F(ScoreJhmdb, WritesTablesThatSayTheSame) {
  predict("jump/a", 3, 5);
  auto of_a = score(clip("jump/a"));
  of_a.reference.scored[4] = of_a.later_frames.scored[4] = 0;  // a joint that was never found
  const auto scores = sum_jhmdb({of_a});
  const auto tables = jhmdb_tables(scores);
  write_tables(folder_.path(), tables);
  const auto lines = content(folder_ / "results.csv");
  EXPECT_THAT(lines, testing::StartsWith("rule,joint,scored,PCK@0.1,PCK@0.2,PCK@0.3,PCK@0.4"));
  EXPECT_THAT(lines, HasSubstr("\nreference,neck,3,0.33333333333333331,0.66666666666666663,"));
  EXPECT_THAT(lines, HasSubstr("\nreference,left-shoulder,0,,,,,\n"));
  EXPECT_THAT(lines, HasSubstr("\nreference,mean,42,0.33333333333333"));
  EXPECT_THAT(lines, HasSubstr("\nwithout-first-frame,mean,28,0,0.5,"));
  EXPECT_THAT(content(folder_ / "per-clip.csv"), HasSubstr("\njump/a,3,0.33333333333333"));
  const auto& json = tables.numbers;
  EXPECT_DOUBLE_EQ(json["pck"]["0.2"], 2.0 / 3);
  EXPECT_DOUBLE_EQ(json["pck_without_first_frame"]["0.2"], 0.5);
  EXPECT_TRUE(json["joints"][4]["pck"]["0.1"].is_null());
  EXPECT_EQ(json["clips"][0]["frames"], 3);
  const auto& table = tables.text;
  EXPECT_THAT(table, HasSubstr("mean PCK                33.3    66.7"));
  EXPECT_THAT(table, HasSubstr("without frame 0          0.0    50.0"));
}

}  // namespace
}  // namespace stc::eval
