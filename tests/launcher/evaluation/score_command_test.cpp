#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "data/file.h"
#include "launcher/commands.h"
#include "monitoring/check.h"
#include "tests/support/davis_files.h"
#include "tests/support/temporary_folder.h"

namespace stc::launcher {
namespace {

using namespace stc::test;
using testing::HasSubstr;
using testing::StartsWith;
namespace fs = std::filesystem;

class ScoreCommand : public testing::Test {
 protected:
  ScoreCommand() {
    auto mask = label_map(20, 30);
    fill_box(mask, 4, 4, 8, 8, 1);
    for (const char* folder : {"truth/a", "truth/b", "prediction/a", "prediction/b"}) {
      for (int frame = 0; frame < 4; ++frame) write_mask(root_ / folder, frame, mask);
    }
  }
  int score(const std::string& more) {
    CLI::App app;
    launcher::Action action;
    add_score(app, action);
    app.parse("score davis --truth " + path("truth") + " --prediction " + path("prediction") +
              more);
    testing::internal::CaptureStdout();
    const int exit = action();
    output_ = testing::internal::GetCapturedStdout();
    return exit;
  }
  std::string path(const std::string& name) { return (root_ / name).string(); }
  std::string content(const std::string& name) {
    const auto bytes = data::read_file(path(name));
    return {bytes.begin(), bytes.end()};
  }

  TemporaryFolder folder_;
  fs::path root_ = fs::path(folder_.path());
  std::string output_;
};

TEST_F(ScoreCommand, PrintsATableAndWritesWhatIsAskedForAndNothingElse) {
  EXPECT_EQ(score(" --csv " + path("scores.csv") + " --frames " + path("frames.csv")), 0);
  EXPECT_THAT(output_, HasSubstr("mean over objects        2  100.0  100.0  100.0"));
  EXPECT_EQ(content("scores.csv"),
            "sequence,object,J_mean,J_recall,J_decay,F_mean,F_recall,F_decay\n"
            "a,1,1,1,0,1,1,0\nb,1,1,1,0,1,1,0\n");
  EXPECT_THAT(content("frames.csv"), StartsWith("sequence,object,frame,J,F\na,1,00001,1,1\n"));
  std::size_t files = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root_))
    files += entry.is_regular_file();
  EXPECT_EQ(files, 4U * 4 + 2);
}

TEST_F(ScoreCommand, PrintsJsonAloneWhereAskedTo) {
  EXPECT_EQ(score(" --json -"), 0);
  EXPECT_THAT(output_, StartsWith("{\n  \"jf_mean\": 1.0"));
}

TEST_F(ScoreCommand, ScoresTheSequencesOfTheSplitAlone) {
  write_text_file(root_ / "split.txt", "b\n");
  EXPECT_EQ(score(" --csv " + path("scores.csv") + " --split " + path("split.txt")), 0);
  EXPECT_EQ(content("scores.csv").find("\na,"), std::string::npos);
}

TEST_F(ScoreCommand, WritesNoFileWhereThePredictionIsIncomplete) {
  fs::remove(mask_path(root_ / "prediction/b", 2));
  EXPECT_THROW(score(" --csv " + path("scores.csv")), Error);
  testing::internal::GetCapturedStdout();
  EXPECT_FALSE(fs::exists(path("scores.csv")));
}

}  // namespace
}  // namespace stc::launcher
