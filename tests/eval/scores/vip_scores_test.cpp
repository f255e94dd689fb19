#include "eval/scores/vip_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "monitoring/check.h"
#include "tests/support/davis_files.h"
#include "tests/support/file_content.h"
#include "tests/support/temporary_folder.h"

namespace stc::eval {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;
using namespace stc::test;

// Left half `left`, right half `right`.
data::LabelMap halves(std::uint8_t left, std::uint8_t right) {
  auto map = label_map(4, 8, left);
  fill_box(map, 0, 4, 4, 4, right);
  return map;
}

class ScoreVip : public testing::Test {
 protected:
  void write(int frame, const data::LabelMap& truth, const data::LabelMap& prediction) {
    write_mask(truth_ / "videos1", frame, truth);
    write_mask(out_ / "videos1", frame, prediction);
  }
  VipSequenceScore score() {
    const auto sequences = data::open_vip(truth_.string(), {.split = "", .need_images = false});
    return score_vip_sequence(sequences.at(0), out_.string());
  }
  std::string error() {
    try {
      score();
    } catch (const Error& thrown) {
      EXPECT_EQ(thrown.exit(), Exit::kBadData);
      return thrown.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
  fs::path truth_ = fs::path(folder_.path()) / "truth";
  fs::path out_ = fs::path(folder_.path()) / "out";
};

TEST_F(ScoreVip, PoolsPixelsOverFramesWithAndWithoutTheFirst) {
  write(0, halves(0, 5), halves(0, 5));
  write(1, halves(0, 5), halves(0, 0));
  const auto scores = sum_vip({score()});
  EXPECT_EQ(scores.sequences[0].frames, 2);
  EXPECT_DOUBLE_EQ(scores.all.iou[0].value(), 32.0 / 48);
  EXPECT_DOUBLE_EQ(scores.all.iou[5].value(), 0.5);
  EXPECT_DOUBLE_EQ(scores.all.mean_iou, (2.0 / 3 + 0.5) / 2);
  EXPECT_DOUBLE_EQ(scores.later_frames.mean_iou, (0.5 + 0) / 2);
  EXPECT_DOUBLE_EQ(scores.all.pixel_accuracy, 0.75);
}

TEST_F(ScoreVip, NamesFileLabelAndSizes) {
  write(0, halves(0, 5), halves(0, 5));
  write(1, halves(0, 5), halves(0, 20));
  EXPECT_THAT(error(), HasSubstr("out/videos1/00001.png: holds label 20"));
  write(1, halves(0, 5), label_map(3, 8));
  EXPECT_THAT(error(), HasSubstr("00001.png: is 3x8 (height x width); its truth is 4x8"));
  fs::remove(mask_path(out_ / "videos1", 1));
  EXPECT_THAT(error(), HasSubstr("00001.png: no such prediction"));
}

TEST_F(ScoreVip, WritesTablesThatSayTheSame) {
  write(0, halves(0, 5), halves(0, 5));
  write(1, halves(0, 5), halves(0, 0));
  const auto scores = sum_vip({score()});
  const auto tables = vip_tables(scores);
  write_tables(folder_.path(), tables);
  const auto lines = content(folder_ / "results.csv");
  EXPECT_THAT(lines, HasSubstr("\ndress,0.5,0.5,0\n"));
  EXPECT_THAT(lines, HasSubstr("\ncoat,,,\n"));
  EXPECT_THAT(lines, HasSubstr("\nmean,0.58333333333333"));
  EXPECT_THAT(content(folder_ / "per-sequence.csv"), HasSubstr("\nvideos1,2,0.58333333333333"));
  const auto& json = tables.numbers;
  EXPECT_DOUBLE_EQ(json["mean_iou"], (2.0 / 3 + 0.5) / 2);
  EXPECT_TRUE(json["parts"][6]["iou"].is_null());
  EXPECT_DOUBLE_EQ(json["sequences"][0]["mean_iou"], json["mean_iou"].get<double>());
  const auto& table = tables.text;
  EXPECT_THAT(table, HasSubstr("dress                 50.0              0.0      50.0"));
  EXPECT_THAT(table, HasSubstr("mean                  58.3             25.0      75.0"));
}

}  // namespace
}  // namespace stc::eval
