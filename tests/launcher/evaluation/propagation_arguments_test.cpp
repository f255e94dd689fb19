#include "launcher/evaluation/propagation_arguments.h"

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
  EXPECT_EQ(settings_json(settings_of(kDavisDefaults, {"--propagation.preset=stt"})).dump(),
            R"({"stride":8,"short_side":480,"half_window":12,"preceding":20,"top_k":10,)"
            R"("temperature":0.07,"keep_channels":false,"window":"square",)"
            R"("window_first_frame":true,"first_frame":"reference","hard_labels":false,)"
            R"("first_labels":"nearest","normalise":"minmax","input":"lab",)"
            R"("long_side_multiple":1})");
}

}  // namespace
}  // namespace stc::launcher
