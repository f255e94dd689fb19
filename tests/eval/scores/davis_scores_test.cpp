#include "eval/scores/davis_scores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/images/image.h"
#include "eval/scores/score_tables.h"
#include "monitoring/check.h"
#include "tests/support/davis_files.h"
#include "tests/support/temporary_folder.h"

namespace stc::eval {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;
using namespace stc::test;

class ScoreDavis : public testing::Test {
 protected:
  void write_truth(const std::string& sequence, int frame, const data::LabelMap& map) {
    write_mask(truth_ / sequence, frame, map);
  }
  void write_prediction(const std::string& sequence, int frame, const data::LabelMap& map) {
    write_mask(prediction_ / sequence, frame, map);
  }
  DavisScores score(const ScoreOptions& options = {.threads = 1}) {
    return score_davis(data::open_davis(truth_.string(), {.split = "", .need_images = false}),
                       prediction_.string(),
                       options);
  }
  /// The message of the error that scoring ends with; its exit code is that of bad data.
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
  fs::path prediction_ = fs::path(folder_.path()) / "prediction";
};

data::LabelMap square(std::uint8_t label, int left = 5) {
  auto map = label_map(20, 30);
  fill_box(map, 5, left, 8, 8, label);
  return map;
}

TEST_F(ScoreDavis, NeverOpensTheFirstAndTheLastPrediction) {
  for (int frame = 0; frame < 4; ++frame) write_truth("a", frame, square(1));
  write_text_file(mask_path(prediction_ / "a", 0), "not a PNG");
  for (int frame : {1, 2}) write_prediction("a", frame, square(1));
  const auto scores = score();
  ASSERT_EQ(scores.objects.size(), 1U);
  EXPECT_THAT(scores.objects[0].frames, testing::ElementsAre("00001", "00002"));
  EXPECT_EQ(scores.jf_mean(), 1);
}

TEST_F(ScoreDavis, AveragesOverObjectsAndNotOverSequences) {
  // "a" has one object, missed; "b" has three, all found.
  for (int frame = 0; frame < 3; ++frame) {
    write_truth("a", frame, square(1));
    write_prediction("a", frame, label_map(20, 30));
    auto three = square(1, 1);
    fill_box(three, 5, 11, 4, 4, 2);
    fill_box(three, 5, 20, 4, 4, 3);
    write_truth("b", frame, three);
    write_prediction("b", frame, three);
  }
  const auto scores = score();
  EXPECT_EQ(scores.objects.size(), 4U);
  EXPECT_DOUBLE_EQ(scores.j.mean, 0.75);
  const auto sequences = davis_tables(scores).numbers.at("sequences");
  ASSERT_EQ(sequences.size(), 2U);
  EXPECT_EQ(sequences[0]["jf_mean"], 0);
  EXPECT_EQ(sequences[1]["jf_mean"], 1);
  EXPECT_EQ(sequences[1]["objects"], 3);
}

TEST_F(ScoreDavis, ReadsMasksOf0And255AsOneObjectAndSaysSo) {
  for (int frame = 0; frame < 3; ++frame) write_truth("a", frame, square(255));
  write_prediction("a", 1, square(1));
  auto scores = score();
  EXPECT_EQ(scores.jf_mean(), 1);
  ASSERT_EQ(scores.notes.size(), 1U);
  EXPECT_THAT(scores.notes[0], HasSubstr("255 was read as object 1"));

  write_prediction("a", 1, square(255));
  EXPECT_EQ(score().jf_mean(), 1);
}

TEST_F(ScoreDavis, Reads255AsBackgroundWhereAnyFrameOfTheSequenceHasAnotherLabel) {
  // Frames 0 to 2 look like {0, 255} masks; the last, which is never scored, shows that they are
  // not.
  for (int frame = 0; frame < 3; ++frame) write_truth("a", frame, square(255));
  write_truth("a", 3, square(2));
  for (int frame = 0; frame < 4; ++frame) write_truth("b", frame, square(1));
  for (int frame : {1, 2}) {
    write_prediction("a", frame, label_map(20, 30));
    write_prediction("b", frame, square(1));
  }
  const auto scores = score();
  ASSERT_EQ(scores.objects.size(), 1U);
  EXPECT_EQ(scores.objects[0].sequence, "b");
  EXPECT_THAT(scores.notes, testing::ElementsAre(HasSubstr("no object in its first frame")));
}

TEST_F(ScoreDavis, GivesTheSameForAnyNumberOfThreads) {
  for (const char* name : {"a", "b", "c", "d", "e"}) {
    for (int frame = 0; frame < 5; ++frame) {
      write_truth(name, frame, square(1));
      write_prediction(name, frame, square(1, 5 + frame + name[0] % 3));
    }
  }
  const auto expected = score({.threads = 1});
  const auto scores = score({.threads = 4});
  ASSERT_EQ(scores.objects.size(), expected.objects.size());
  for (std::size_t i = 0; i < scores.objects.size(); ++i) {
    EXPECT_EQ(scores.objects[i].sequence, expected.objects[i].sequence);
    EXPECT_EQ(scores.objects[i].j, expected.objects[i].j);
    EXPECT_EQ(scores.objects[i].f, expected.objects[i].f);
  }
}

TEST_F(ScoreDavis, NamesFileLabelAndObjectsWhereALabelIsTooHigh) {
  for (int frame = 0; frame < 3; ++frame) write_truth("a", frame, square(1));
  write_prediction("a", 1, square(9));
  EXPECT_THAT(error(),
              testing::AllOf(HasSubstr("00001.png"), HasSubstr("label 9"), HasSubstr("1 to 1")));
}

TEST_F(ScoreDavis, NamesBothSizesWhereTheyDiffer) {
  for (int frame = 0; frame < 3; ++frame) write_truth("a", frame, square(1));
  write_prediction("a", 1, label_map(10, 15));
  EXPECT_THAT(error(),
              testing::AllOf(HasSubstr("00001.png"), HasSubstr("10x15"), HasSubstr("20x30")));
}

TEST_F(ScoreDavis, NamesThePredictionThatIsAbsent) {
  for (int frame = 0; frame < 4; ++frame) write_truth("a", frame, square(1));
  write_prediction("a", 1, square(1));
  EXPECT_THAT(error(), HasSubstr("00002.png: no such prediction"));
}

TEST_F(ScoreDavis, RefusesASequenceThatHasNothingToScore) {
  for (int frame = 0; frame < 2; ++frame) write_truth("short", frame, square(1));
  fs::create_directories(prediction_);
  EXPECT_THAT(error(), testing::AllOf(HasSubstr("'short' has 2"), HasSubstr("at least 3")));
}

TEST_F(ScoreDavis, CountsUnknownLabelsAsBackgroundWhereAskedTo) {
  auto with_unknown = square(1);
  fill_box(with_unknown, 6, 6, 4, 4, 9);  // 16 of the 64 pixels of object 1
  for (int frame = 0; frame < 3; ++frame) write_truth("a", frame, square(1));
  write_prediction("a", 1, with_unknown);
  const auto scores = score({.drop_unknown = true});
  ASSERT_EQ(scores.objects.size(), 1U);
  EXPECT_DOUBLE_EQ(scores.j.mean, 0.75);
}

TEST_F(ScoreDavis, TakesEveryLabelOfTheScoredTruthAsAnObjectByTheAnyIdRule) {
  // 1: only in the first frame. 7: true from frame 2 on, predicted already in frame 1. 255: always.
  // 9: predicted, never true.
  auto truth = square(255, 1);
  auto prediction = truth;
  write_truth("a", 0, square(1));
  fill_box(prediction, 5, 20, 4, 4, 7);
  write_truth("a", 1, truth);
  write_prediction("a", 1, prediction);
  for (int frame : {2, 3, 4}) {
    auto later = truth;
    fill_box(later, 5, 20, 4, 4, 7);
    write_truth("a", frame, later);
    fill_box(later, 15, 20, 2, 2, 9);
    write_prediction("a", frame, later);
  }
  const auto scores = score({.rule = ScoreRule::kAnyId});
  ASSERT_EQ(scores.objects.size(), 2U);
  EXPECT_EQ(scores.objects[0].object, 7);
  EXPECT_THAT(scores.objects[0].j, testing::ElementsAre(0, 1, 1));
  EXPECT_EQ(scores.objects[1].object, 255);
  EXPECT_THAT(scores.objects[1].f, testing::ElementsAre(1, 1, 1));
}

TEST_F(ScoreDavis, StartsAnObjectWhereItShowsUpByTheAnyIdRule) {
  write_truth("a", 0, label_map(20, 30));
  for (int frame : {1, 2, 3, 4}) {
    write_truth("a", frame, frame >= 3 ? square(4) : label_map(20, 30));
    write_prediction("a", frame, label_map(20, 30));
  }
  const auto scores = score({.rule = ScoreRule::kAnyId});
  ASSERT_EQ(scores.objects.size(), 1U);
  EXPECT_THAT(scores.objects[0].frames, testing::ElementsAre("00003"));
  EXPECT_EQ(scores.jf_mean(), 0);  // not 2/3: frames 1 and 2 do not count as found
}

TEST_F(ScoreDavis, LeavesSequencesWithBadDataOutWhereItIsToKeepGoing) {
  for (const char* name : {"a", "b", "c"}) {
    for (int frame = 0; frame < 3; ++frame) write_truth(name, frame, square(1));
    if (name[0] != 'b') write_prediction(name, 1, square(1));
  }
  write_truth("d", 0, square(1));
  const auto scores = score({.threads = 3, .keep_going = true});
  EXPECT_EQ(scores.objects.size(), 2U);
  EXPECT_EQ(scores.jf_mean(), 1);
  EXPECT_THAT(scores.failures,
              testing::ElementsAre(HasSubstr("00001.png: no such prediction"),
                                   HasSubstr("'d' has 1 annotated frame")));
  EXPECT_THAT(error(), HasSubstr("no such prediction"));
}

TEST_F(ScoreDavis, SaysWhichLabelsAreNeverTrueAndHowManyCountAsFound) {
  auto gaps = square(206, 1);
  fill_box(gaps, 5, 20, 4, 4, 210);
  for (int frame = 0; frame < 3; ++frame) write_truth("a", frame, gaps);
  write_prediction("a", 1, label_map(20, 30));
  const auto scores = score();
  EXPECT_DOUBLE_EQ(scores.j.mean, 208.0 / 210);  // the official rule's number stays
  ASSERT_EQ(scores.notes.size(), 1U);
  EXPECT_THAT(scores.notes[0], HasSubstr("1 to 205, 207 to 209 are never true"));
  EXPECT_THAT(scores.notes[0], HasSubstr("208 of 210 objects count as found"));
}

TEST_F(ScoreDavis, SaysWhichObjectsComeLaterAndPointsAtTheRuleThatScoresThem) {
  auto both = square(1, 1);
  fill_box(both, 5, 20, 4, 4, 2);
  for (int frame = 0; frame < 4; ++frame) write_truth("a", frame, frame < 2 ? square(1, 1) : both);
  for (int frame : {1, 2}) write_prediction("a", frame, square(1, 1));
  const auto scores = score();
  ASSERT_EQ(scores.notes.size(), 1U);
  EXPECT_THAT(scores.notes[0],
              testing::AllOf(HasSubstr("label(s) 2 first appear"),
                             HasSubstr("2 in 00002.png"),
                             HasSubstr("--rule any-id")));
  write_prediction("a", 2, both);
  EXPECT_THAT(error(), testing::AllOf(HasSubstr("from 00002.png on"), HasSubstr("any-id")));
}

TEST_F(ScoreDavis, RefusesSoftEdgesInTruthAndPredictionByBothRules) {
  const auto soft = soft_disc(48, 3), hard = soft_disc(48, 1);
  for (const bool is_truth : {true, false}) {
    for (int frame = 0; frame < 3; ++frame) {
      write_truth("a", frame, is_truth ? soft : hard);
      write_prediction("a", frame, is_truth ? hard : soft);
    }
    for (const auto rule : {ScoreRule::kOfficial, ScoreRule::kAnyId}) {
      const auto scores = score({.rule = rule, .keep_going = true});
      EXPECT_THAT(scores.failures, testing::ElementsAre(HasSubstr("has soft edges"))) << is_truth;
    }
  }
}

TEST(StatisticsOf, CountsOnlyValuesAboveOneHalfForRecall) {
  EXPECT_DOUBLE_EQ(statistics_of({0.5, 0.5 + 1e-9, 1, 0}).recall, 0.5);
}

TEST(StatisticsOf, TakesDecayFromTheFirstAndLastQuarterForEveryLength) {
  // First and last position of both quarters, from the written rule.
  const struct {
    int n, first_end, last_begin;
  } cases[] = {{1, 0, 0},
               {2, 0, 1},
               {3, 1, 2},
               {4, 1, 2},
               {5, 1, 3},
               {6, 1, 4},
               {7, 2, 5},
               {10, 2, 7},
               {255, 64, 191}};
  for (const auto& [n, first_end, last_begin] : cases) {
    std::vector<double> values;
    for (int i = 0; i < n; ++i) values.push_back(std::sin(1.0 + i));
    double first = 0;
    double last = 0;
    for (int i = 0; i <= first_end; ++i) first += values[i] / (first_end + 1);
    for (int i = last_begin; i < n; ++i) last += values[i] / (n - last_begin);
    EXPECT_NEAR(statistics_of(values).decay, first - last, 1e-14) << n << " values";
  }
}

TEST(StatisticsOf, HasADecayBeyond255FramesToo) {
  // 1 in the first half, 0 in the second: indices of 8 bits would wrap.
  std::vector<double> values(600, 0.0);
  std::fill(values.begin(), values.begin() + 300, 1.0);
  EXPECT_DOUBLE_EQ(statistics_of(values).decay, 1);
}

class WrittenScores : public testing::Test {
 protected:
  WrittenScores() {
    ObjectScore object{"a,b", 1, {"00001", "00002"}, {1, 1.0 / 3}, {0.5, 0.25}};
    object.j_statistics = statistics_of(object.j);
    object.f_statistics = statistics_of(object.f);
    scores_.objects = {object};
    scores_.j = object.j_statistics;
    scores_.f = object.f_statistics;
  }
  std::string content(const std::string& name) {
    std::ostringstream out;
    out << std::ifstream(fs::path(folder_.path()) / name).rdbuf();
    return out.str();
  }

  TemporaryFolder folder_;
  DavisScores scores_;
};

TEST_F(WrittenScores, HaveTheOfficialFormWithThreeDecimals) {
  write_tables(folder_.path(), davis_tables(scores_));
  EXPECT_EQ(content("global_results.csv"),
            "J&F-Mean,J-Mean,J-Recall,J-Decay,F-Mean,F-Recall,F-Decay\n"
            "0.521,0.667,0.500,0.667,0.375,0.000,0.250\n");
  EXPECT_EQ(content("per-sequence_results.csv"), "Sequence,J-Mean,F-Mean\n\"a,b_1\",0.667,0.375\n");
}

TEST_F(WrittenScores, KeepEveryDigit) {
  write_tables(folder_.path(), davis_tables(scores_));
  EXPECT_EQ(content("per-frame.csv"),
            "sequence,object,frame,J,F\n\"a,b\",1,00001,1,0.5\n"
            "\"a,b\",1,00002,0.33333333333333331,0.25\n");
  EXPECT_THAT(
      content("results.csv"),
      testing::StartsWith("sequence,object,J_mean,J_recall,J_decay,F_mean,F_recall,F_decay\n"
                          "\"a,b\",1,0.66666666666666663,"));
}

TEST_F(WrittenScores, AreJsonWithOneEntryASequence) {
  const auto json = davis_tables(scores_).numbers;
  EXPECT_DOUBLE_EQ(json["jf_mean"], (2.0 / 3 + 0.375) / 2);
  EXPECT_DOUBLE_EQ(json["j"]["recall"], 0.5);
  ASSERT_EQ(json["sequences"].size(), 1U);
  EXPECT_EQ(json["sequences"][0]["name"], "a,b");
  EXPECT_EQ(json["sequences"][0]["frames"], 2);
}

TEST(Csv, FieldsReadBackWhateverTheirBytes) {
  const std::vector<std::string> names = {
      "", "a,b", "\"q\"", "two\nlines\r", "\xc4\xe3", "a\\xc4", "'"};
  std::stringstream csv(joined(names, csv_field, ",") + "\n" + joined(names, csv_field, ","));
  EXPECT_EQ(next_csv_row(csv), names);
  EXPECT_EQ(next_csv_row(csv), names);
  EXPECT_TRUE(next_csv_row(csv).empty());
}

}  // namespace
}  // namespace stc::eval
