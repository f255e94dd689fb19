#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "launcher/evaluation/propagation_arguments.h"
#include "monitoring/check.h"
#include "tests/support/temporary_folder.h"

namespace stc::launcher {
namespace {

using testing::HasSubstr;

TEST(PropagationSettings, AreThoseOfThePresetUnlessTheFileOrAFlagSaysOtherwise) {
  test::TemporaryFolder folder;
  const auto file = folder.path() + "/rules.toml";
  std::ofstream(file) << "[propagation]\nwindow = \"square\"\ntop_k = 3\nshort_side = \"native\"\n";
  PropagationArguments arguments;
  arguments.config = file;
  arguments.overrides = {
      "--propagation.top_k=4", "--propagation.preset=crw", "--propagation.hard_labels=true"};
  const auto json = settings_json(read_settings(arguments));
  EXPECT_EQ(json["window"], "square");  // the file
  EXPECT_EQ(json["short_side"], 0);
  EXPECT_EQ(json["top_k"], 4);  // the flag
  EXPECT_EQ(json["hard_labels"], true);
  EXPECT_EQ(json["first_frame"], "padded");  // the preset
  EXPECT_EQ(json["window_first_frame"], false);
  EXPECT_EQ(json["first_labels"], "bilinear");
  EXPECT_EQ(json["normalise"], "none");
  EXPECT_EQ(json["input"], "rgb");
  EXPECT_EQ(json["temperature"], 0.05);
  EXPECT_EQ(json["half_window"], 12);
}

TEST(PropagationSettings, NameWhatIsAllowed) {
  PropagationArguments arguments;
  arguments.overrides = {"--propagation.window=round"};
  try {
    read_settings(arguments);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kUsage);
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("propagation.window"), HasSubstr("circle")));
  }
}

}  // namespace
}  // namespace stc::launcher
