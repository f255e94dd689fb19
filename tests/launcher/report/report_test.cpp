#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

#include "data/file.h"
#include "data/images/image.h"
#include "launcher/commands.h"
#include "launcher/report/chart.h"
#include "launcher/report/html.h"
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

constexpr char kTwoSteps[] =
    R"({"step":1,"epoch":0,"samples":8,"losses":{"total":3.5,"contrastive":3.5},"accuracy":0.1,"learning_rate":0.06,"gradient_norm":2,"seconds":0.5,"data_wait_seconds":0.01}
{"step":2,"epoch":0,"samples":16,"losses":{"total":null,"contrastive":2.5},"accuracy":0.2,"learning_rate":0.05,"gradient_norm":1,"seconds":0.5,"data_wait_seconds":0.01}
)";

class Report : public testing::Test {
 protected:
  void write_run(const std::string& name, const std::string& metrics) {
    write_text_file(root_ / name / "metrics.jsonl", metrics);
    write_text_file(root_ / name / "config.toml", "[run]\nseed = 3 # <b>\n");
  }
  /// An evaluation of a clip of four frames with one object, on data that exist or do not.
  void write_evaluation(const std::string& name, double jf, const std::string& data) {
    std::ostringstream json;
    json
        << R"({"benchmark":"davis","data":")" << data << R"(","weights":"w.safetensors","label":")"
        << name << R"(","settings":{"top_k":10},"jf_mean":)" << jf
        << R"(,"j":{"mean":0.5,"recall":0.6,"decay":0.1},"f":{"mean":0.4,"recall":0.3,"decay":0.2},)"
        << R"("sequences":[{"name":"clip","objects":1,"frames":2,"j_mean":0.5,"f_mean":0.25,"jf_mean":0.375}]})";
    write_text_file(root_ / name / "results.json", json.str());
    write_text_file(root_ / name / "per-frame.csv",
                    "sequence,object,frame,J,F\nclip,1,00001,0.5,0.7\nclip,1,00002,0.1,0.3\n"
                    "clip,2,00001,0.7,0.9\nclip,2,00002,0.3,0.5\n");
  }
  std::string write_data() {
    const fs::path data = root_ / "data";
    for (int frame = 0; frame < 4; ++frame) {
      auto mask = label_map(20, 30);
      fill_box(mask, 4, 4, 8, 8, 1);
      write_mask(data / "Annotations/480p/clip", frame, mask);
      fs::create_directories(data / "JPEGImages/480p/clip");
      data::write_png(mask_path(data / "JPEGImages/480p/clip", frame),
                      {20, 30, std::vector<std::uint8_t>(20 * 30 * 3, 90)});
    }
    return data.string();
  }
  ReportedRuns read(const std::string& name) { return read_runs({(root_ / name).string()}); }
  std::string error(const std::string& name) {
    try {
      read(name);
    } catch (const Error& thrown) {
      EXPECT_EQ(thrown.exit(), Exit::kBadData);
      return thrown.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
  fs::path root_ = fs::path(folder_.path());
};

TEST_F(Report, ReadsEveryCurveOfARunLossesFirst) {
  write_run("run", kTwoSteps);
  const auto runs = read("run");
  ASSERT_EQ(runs.trainings.size(), 1U);
  const auto& curves = runs.trainings[0].curves;
  std::vector<std::string> names;
  for (const auto& curve : curves) names.push_back(curve.label);
  EXPECT_THAT(names,
              ElementsAre("loss: total",
                          "loss: contrastive",
                          "accuracy",
                          "learning_rate",
                          "gradient_norm",
                          "seconds",
                          "data_wait_seconds"));
  EXPECT_THAT(curves[1].x, ElementsAre(1, 2));
  EXPECT_THAT(curves[1].y, ElementsAre(3.5, 2.5));
  EXPECT_TRUE(std::isnan(curves[0].y[1]));
}

TEST_F(Report, IgnoresTheHalfLineOfARunThatIsBeingWritten) {
  write_run("run", std::string(kTwoSteps) + R"({"step":3,"loss)");
  EXPECT_THAT(read("run").trainings[0].curves[1].x, ElementsAre(1, 2));
}

TEST_F(Report, NamesTheLineThatIsNotJson) {
  write_run("run", "nonsense\n" + std::string(kTwoSteps));
  EXPECT_THAT(error("run"), testing::AllOf(HasSubstr("metrics.jsonl"), HasSubstr("line 1")));
}

TEST_F(Report, AveragesFramesOverTheObjectsOfASequence) {
  write_evaluation("eval", 0.4, "/nowhere");
  const auto runs = read("eval");
  ASSERT_EQ(runs.evaluations.size(), 1U);
  const auto& frames = runs.evaluations[0].frames.at("clip");
  ASSERT_EQ(frames.y.size(), 2U);
  EXPECT_NEAR(frames.y[0], 0.7, 1e-12);
  EXPECT_NEAR(frames.y[1], 0.3, 1e-12);
}

TEST_F(Report, FindsRunsAndEvaluationsInsideAFolderInNaturalOrder) {
  write_run("demo/step2", kTwoSteps);
  write_run("demo/step10", kTwoSteps);
  write_evaluation("demo/eval/random", 0.4, "/nowhere");
  const auto runs = read("demo");
  ASSERT_EQ(runs.trainings.size(), 2U);
  EXPECT_THAT(runs.trainings[0].path, testing::EndsWith("step2"));
  EXPECT_EQ(runs.evaluations.size(), 1U);
}

TEST_F(Report, NamesAFolderThatHoldsNeither) {
  fs::create_directories(root_ / "empty");
  EXPECT_THAT(error("empty"), HasSubstr("holds no training run"));
  EXPECT_THAT(error("absent"), HasSubstr("no such folder"));
  write_text_file(root_ / "foreign/results.json", R"({"accuracy": 1})");
  EXPECT_THAT(error("foreign"), HasSubstr("not the result of `stc eval`"));
}

TEST_F(Report, IsOnePageThatNeedsNothingElse) {
  write_run("run", kTwoSteps);
  write_evaluation("random", 0.4, write_data());
  write_evaluation("step1", 0.6, write_data());
  const auto runs = read_runs(
      {(root_ / "run").string(), (root_ / "random").string(), (root_ / "step1").string()});
  const auto pictures = draw_pictures(runs.evaluations, 5);
  ASSERT_EQ(pictures.at("davis").clips.size(), 1U);
  EXPECT_THAT(pictures.at("davis").clips[0].rows, ElementsAre("truth", "random", "step1"));
  const auto page = report_page(runs, pictures);
  EXPECT_THAT(page, HasSubstr("src='data:image/jpeg;base64,/9j/"));
  for (const char* outside : {"http", "<link", "<script", "url("})
    EXPECT_THAT(page, Not(HasSubstr(outside)));
  EXPECT_THAT(page, HasSubstr("<td class='best'>60.0</td>"));
  EXPECT_THAT(page, HasSubstr("seed = 3 # &lt;b&gt;"));
  EXPECT_THAT(page, HasSubstr("settings.top_k"));
}

TEST_F(Report, SaysWhyItHasNoPicturesIfTheDataAreGone) {
  write_evaluation("random", 0.4, "/nowhere/at/all");
  const auto runs = read("random");
  const auto pictures = draw_pictures(runs.evaluations, 5);
  EXPECT_TRUE(pictures.at("davis").clips.empty());
  EXPECT_THAT(pictures.at("davis").notes,
              ElementsAre(HasSubstr("/nowhere/at/all: no such folder")));
  EXPECT_THAT(report_page(runs, pictures), HasSubstr("/nowhere/at/all"));
}

TEST_F(Report, IsWrittenByTheCommand) {
  write_run("run", kTwoSteps);
  CLI::App app;
  launcher::Action action;
  add_report(app, action);
  const auto out = (root_ / "page.html").string();
  app.parse("report " + (root_ / "run").string() + " --out " + out);
  EXPECT_EQ(action(), 0);
  const auto page = data::read_file(out);
  EXPECT_THAT(std::string(page.begin(), page.end()), testing::EndsWith("</html>\n"));
}

TEST(LineChart, KeepsEveryExtremeOfALongLineInItsBand) {
  ChartLine line{"loss", {}, {}};
  for (int i = 0; i < 10000; ++i) {
    line.x.push_back(i);
    line.y.push_back(i == 5001 ? 1000 : 1);
  }
  const auto chart = line_chart("loss", "step", {line});
  EXPECT_LT(chart.size(), 20000U);
  EXPECT_THAT(chart, HasSubstr(",8.0 "));  // the peak touches the upper edge
}

TEST(LineChart, DrawsLinesThatAreFlatEmptyOrNotFinite) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const auto& line : {ChartLine{"flat", {1, 2}, {3, 3}},
                           ChartLine{"empty", {}, {}},
                           ChartLine{"nan", {1, 2}, {nan, nan}},
                           ChartLine{"zero", {1}, {0}}}) {
    const auto chart = line_chart(line.label, "step", {line});
    EXPECT_THAT(chart, Not(HasSubstr("nan,"))) << line.label;
    EXPECT_THAT(chart, Not(HasSubstr("inf"))) << line.label;
    EXPECT_THAT(chart, HasSubstr("</svg>")) << line.label;
  }
}

TEST(ShortNumber, IsShortAndKeepsTheSizeOfTheNumber) {
  EXPECT_EQ(short_number(0), "0");
  EXPECT_EQ(short_number(1.5), "1.5");
  EXPECT_EQ(short_number(200), "200");
  EXPECT_EQ(short_number(0.12345), "0.123");
  EXPECT_EQ(short_number(0.00012345), "0.000123");
  EXPECT_EQ(short_number(12345678), "1.23e+07");
  EXPECT_EQ(short_number(-0.0), "0");
}

}  // namespace
}  // namespace stc::launcher
