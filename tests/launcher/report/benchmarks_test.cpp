// What the report says about evaluations of each benchmark.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "data/file.h"
#include "data/images/image.h"
#include "launcher/report/page.h"
#include "launcher/report/pictures.h"
#include "launcher/report/runs.h"
#include "monitoring/check.h"
#include "tests/support/davis_files.h"
#include "tests/support/temporary_folder.h"

namespace stc::launcher {
namespace {

using namespace stc::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class ReportedBenchmarks : public testing::Test {
 protected:
  /// Two clips of a folder each, `low` the PCK@0.1 of one of them.
  void write_pose(const std::string& name, double low, int top_k = 10) {
    std::ostringstream json;
    json
        << R"({"benchmark":"jhmdb","label":"step2","data":"JHMDB","settings":{"top_k":)" << top_k
        << R"(,"stride":8,"ranks":)" << top_k << R"(},"pck":{"0.1":)" << low
        << R"(,"0.2":0.5,"0.3":0.6,"0.4":0.7,"0.5":0.8},)"
        << R"("pck_without_first_frame":{"0.1":0.21,"0.2":0.31,"0.3":0.41,"0.4":0.51,"0.5":0.61},)"
        << R"("joints":[{"name":"neck","scored":4,"pck":{"0.1":0.375}},{"name":"belly","pck":{"0.1":null}}],)"
        << R"("clips":[{"name":"run/low","frames":3,"pck":{"0.1":)" << low
        << R"(}},{"name":"run/high","frames":3,"pck":{"0.1":0.925}}],"failed":["wave/x: damaged"]})";
    write_text_file(root_ / name / "results.json", json.str());
  }
  void write_parts(const std::string& name) {
    write_text_file(
        root_ / name / "results.json",
        R"({"benchmark":"vip","label":"step2","mean_iou":0.4,"mean_iou_without_first_frame":0.3,)"
        R"("pixel_accuracy":0.8,"mean_accuracy":0.5,"parts":[{"name":"hat","iou":0.125}],)"
        R"("sequences":[{"name":"videos1","frames":4,"mean_iou":0.4}]})");
  }
  void write_overlay(const std::string& name, const std::string& clip) {
    const auto folder = root_ / name / "overlays" / clip;
    fs::create_directories(folder);
    for (const char* frame : {"1.jpg", "2.jpg"})
      data::write_file((folder / frame).string(),
                       data::encode_jpeg({20, 30, std::vector<std::uint8_t>(20 * 30 * 3, 90)}, 90));
  }
  ReportedRuns read() { return read_runs({root_.string()}); }
  std::string page() {
    const auto runs = read();
    return report_page(runs, draw_pictures(runs.evaluations, 4));
  }

  TemporaryFolder folder_;
  fs::path root_ = fs::path(folder_.path());
};

TEST_F(ReportedBenchmarks, KeyPointsHaveBothRulesTheirJointsAndTheirBestClip) {
  write_pose("pose", 0.25);
  const auto html = page();
  for (const char* text : {"<h2>JHMDB</h2>",
                           "@0.5</th>",
                           "@0.5*",
                           "<td>61.0</td>",           // the other rule
                           "run/high 92.5",           // best
                           "run/low 25.0",            // worst
                           "neck</th><td>37.5</td>",  // a joint
                           "belly</th><td>–</td>",    // never found
                           "wave/x: damaged",         // left out
                           "stc eval --overlays makes them"})
    EXPECT_THAT(html, HasSubstr(text)) << text;
  EXPECT_LT(html.find("run/high 92.5"), html.find("run/low 25.0"));
  EXPECT_THAT(html, Not(HasSubstr("<h2>DAVIS</h2>")));
}

TEST_F(ReportedBenchmarks, PartsHaveBothRulesAndAccuracies) {
  write_parts("parts");
  const auto html = page();
  for (const char* text : {"<h2>VIP</h2>",
                           "mIoU*",
                           "<td>40.0</td><td>30.0</td><td>80.0</td><td>50.0</td>",
                           "hat</th><td>12.5</td>"})
    EXPECT_THAT(html, HasSubstr(text)) << text;
  // One clip is neither best nor worst.
  EXPECT_THAT(html, Not(HasSubstr("Best and worst")));
}

TEST_F(ReportedBenchmarks, EachHasItsOwnSectionWhateverTheOrder) {
  write_parts("a");
  write_pose("b", 0.25);
  const auto html = page();
  EXPECT_LT(html.find("<h2>JHMDB</h2>"), html.find("<h2>VIP</h2>"));
  // Labels are equal, but of different benchmarks.
  for (const auto& evaluation : read().evaluations) EXPECT_EQ(evaluation.label, "step2");
}

TEST_F(ReportedBenchmarks, EqualLabelsGetTheSettingsThatDiffer) {
  write_pose("sweep/step2/0-jhmdb/top_k5", 0.25, 5);
  write_pose("sweep/step2/0-jhmdb/top_k10", 0.5, 10);
  const auto runs = read_runs({(root_ / "sweep").string()});
  std::vector<std::string> labels;
  for (const auto& evaluation : runs.evaluations) labels.push_back(evaluation.label);
  EXPECT_THAT(labels, ElementsAre("step2 (top_k 5)", "step2 (top_k 10)"));
  const auto html = report_page(runs, {});
  EXPECT_THAT(html, HasSubstr("<td>25.0</td>"));
  EXPECT_THAT(html, HasSubstr("<td class='best'>50.0</td>"));
}

TEST_F(ReportedBenchmarks, EqualEvaluationsAreDistinguishedByTheirFolders) {
  write_pose("one", 0.25);
  write_pose("two", 0.25001);
  const auto runs = read();
  EXPECT_THAT(runs.evaluations[0].label, testing::EndsWith("/one"));
  EXPECT_THAT(runs.evaluations[1].label, testing::EndsWith("/two"));
  // Nothing is best if all look equal.
  EXPECT_THAT(report_page(runs, {}), Not(HasSubstr("class='best'")));
}

TEST_F(ReportedBenchmarks, WhatIsAbsentIsNoted) {
  write_text_file(root_ / "bare/results.json", R"({"benchmark":"vip","sequences":7})");
  write_text_file(root_ / "cut/job.json", "{}");
  const auto runs = read();
  ASSERT_EQ(runs.evaluations.size(), 1U);
  EXPECT_EQ(runs.evaluations[0].label, "bare");
  EXPECT_TRUE(std::isnan(runs.evaluations[0].score()));
  EXPECT_THAT(runs.evaluations[0].notes,
              testing::IsSupersetOf(
                  {HasSubstr("has no mIoU"), HasSubstr("no sequences"), HasSubstr("no parts")}));
  EXPECT_THAT(runs.notes, ElementsAre(HasSubstr("cut: this evaluation has not finished")));
  const auto html = report_page(runs, draw_pictures(runs.evaluations, 4));
  EXPECT_THAT(html, HasSubstr("has not finished"));
  EXPECT_THAT(html, Not(HasSubstr("nan")));
}

TEST_F(ReportedBenchmarks, ShowsOverlaysOfEachEvaluationThatHasThem) {
  write_pose("a", 0.25, 5);
  write_pose("b", 0.5, 10);
  write_pose("c", 0.5, 20);
  write_overlay("a", "run/low");
  write_overlay("a", "run/high");
  write_overlay("b", "run/high");
  const auto pictures = draw_pictures(read().evaluations, 1).at("jhmdb");
  ASSERT_EQ(pictures.clips.size(), 1U);
  EXPECT_EQ(pictures.clips[0].clip, "run/high");  // the best one, if there is room for one
  EXPECT_THAT(pictures.clips[0].rows, ElementsAre("step2 (top_k 5)", "step2 (top_k 10)"));
  EXPECT_THAT(pictures.notes,
              ElementsAre(HasSubstr("1 of 3 evaluations have no pictures"),
                          HasSubstr("best 1 and the worst 0 of 2")));
  const auto all = draw_pictures(read().evaluations, 4).at("jhmdb");
  ASSERT_EQ(all.clips.size(), 2U);
  EXPECT_THAT(all.clips[1].rows, ElementsAre("step2 (top_k 5)"));
}

TEST_F(ReportedBenchmarks, AnUnreadableOverlayIsNoted) {
  write_pose("a", 0.25);
  write_overlay("a", "run/high");
  fs::create_directories(root_ / "a/overlays/run/low");
  const auto pictures = draw_pictures(read().evaluations, 4).at("jhmdb");
  EXPECT_EQ(pictures.clips.size(), 1U);
  EXPECT_THAT(pictures.notes, ElementsAre(HasSubstr("run/low")));
}

}  // namespace
}  // namespace stc::launcher
