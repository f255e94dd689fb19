#include "launcher/evaluation/propagation_arguments.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

PropagationSettings settings_of(const PropagationDefaults& defaults,
                                const std::vector<std::string>& overrides) {
  PropagationArguments arguments;
  arguments.defaults = defaults;
  arguments.overrides = overrides;
  return read_settings(arguments);
}

TEST(PropagationSettings, AreThoseOfPublishedNumbersForEachBenchmarkAndStride) {
  const struct {
    PropagationDefaults defaults;
    std::string side;
    int pixels, half_window, half_window_at_4;
  } cases[] = {{kDavisDefaults, "short_side", 480, 12, 35},
               {kJhmdbDefaults, "side", 320, 5, 12},
               {kVipDefaults, "side", 560, 16, 35}};
  for (const auto& expected : cases) {
    const auto at_8 = settings_json(settings_of(expected.defaults, {}));
    EXPECT_EQ(at_8.at(expected.side), expected.pixels);
    EXPECT_EQ(at_8.at("half_window"), expected.half_window);
    EXPECT_EQ(at_8.at("preceding"), 20);
    EXPECT_EQ(at_8.at("top_k"), 10);
    EXPECT_EQ(at_8.at("temperature"), 0.07);
    const auto at_4 = settings_of(expected.defaults, {"--propagation.stride=4"});
    EXPECT_EQ(at_4.video.propagation.half_window, expected.half_window_at_4);
  }
}

TEST(PropagationSettings, KnowTheSideOfTheirOwnRuleAlone) {
  EXPECT_EQ(settings_of(kVipDefaults, {"--propagation.side=64"}).input.square_side, 64);
  const auto davis = settings_of(kDavisDefaults, {"--propagation.short_side=64"});
  EXPECT_EQ(davis.input.short_side, 64);
  EXPECT_EQ(davis.input.square_side, 0);
  EXPECT_THROW(settings_of(kDavisDefaults, {"--propagation.side=64"}), Error);
  EXPECT_THROW(settings_of(kVipDefaults, {"--propagation.short_side=64"}), Error);
}

TEST(PropagationSettings, TakeAHalfWindowThatIsGiven) {
  const auto settings =
      settings_of(kJhmdbDefaults, {"--propagation.stride=4", "--propagation.half_window=7"});
  EXPECT_EQ(settings.video.propagation.half_window, 7);
}

// An evaluation resumes only if its job.json is equal, the order of the keys included.
TEST(PropagationSettings, AreWrittenInTheOrderOfEarlierVersions) {
  auto settings = settings_of(kDavisDefaults, {"--propagation.preset=stt"});
  settings.decide_input("");
  EXPECT_EQ(settings_json(settings).dump(),
            R"({"stride":8,"short_side":480,"half_window":12,"preceding":20,"top_k":10,)"
            R"("temperature":0.07,"keep_channels":false,"window":"square",)"
            R"("window_first_frame":true,"first_frame":"reference","hard_labels":false,)"
            R"("first_labels":"nearest","normalise":"minmax","input":"lab",)"
            R"("long_side_multiple":1})");
}

// What a trunk was trained on, the user's choice, the input that follows, and what is said.
TEST(PropagationSettings, TakeTheColoursThatTheWeightsWereTrainedOn) {
  const struct {
    std::string trained_on;
    std::vector<std::string> overrides;
    std::string input, said;
  } cases[] = {
      {"rgb", {}, "rgb", "the input is rgb, which it was trained on"},
      {"lab", {}, "lab", "the input is lab, which it was trained on"},
      {"", {}, "lab", "nothing says which colours it was trained on; the input is lab"},
      {"", {"--propagation.input=rgb"}, "rgb", "the input is rgb, as chosen"},
      {"rgb", {"--propagation.input=lab"}, "lab", "was trained on rgb, and the input is lab"},
      {"lab", {"--propagation.preset=vfs"}, "rgb", "was trained on lab, and the input is rgb"},
      {"lab", {"--propagation.preset=vfs", "--propagation.input=auto"}, "lab", "trained on"},
      {"rgb", {"--propagation.input=rgb"}, "rgb", "the input is rgb, which it was trained on"},
  };
  for (const auto& [trained_on, overrides, input, said] : cases) {
    PropagationTrunk trunk{models::ResNet(models::standard_options(18), 0), "w.safetensors"};
    trunk.input = trained_on;
    auto settings = settings_of(kDavisDefaults, overrides);
    EXPECT_THAT(choose_input(trunk, &settings), testing::HasSubstr(said));
    EXPECT_EQ(settings_json(settings).at("input"), input);
    EXPECT_EQ(data::word_for(settings.input.colour), input);
  }
}

TEST(PropagationSettings, SayNothingAboutTheColoursOfRandomWeights) {
  PropagationTrunk trunk{models::ResNet(models::standard_options(18), 0), "random:3"};
  auto settings = settings_of(kDavisDefaults, {});
  EXPECT_EQ(choose_input(trunk, &settings), "");
  EXPECT_EQ(settings_json(settings).at("input"), "lab");
}

}  // namespace
}  // namespace stc::launcher
