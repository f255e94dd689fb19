// The Grafana dashboard as far as it can be checked without Grafana. prometheus_test.sh runs its
// queries.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <vector>

namespace stc::monitoring {
namespace {

using nlohmann::json;

json dashboard() {
  return json::parse(std::ifstream(STC_SOURCE_DIR "/monitoring/dashboards/stc.json"));
}

struct Place {
  int x, y, w, h;
  explicit Place(const json& panel)
      : x(panel.at("gridPos").at("x")),
        y(panel.at("gridPos").at("y")),
        w(panel.at("gridPos").at("w")),
        h(panel.at("gridPos").at("h")) {}
  bool overlaps(const Place& other) const {
    return x < other.x + other.w && other.x < x + w && y < other.y + other.h && other.y < y + h;
  }
};

TEST(Dashboard, PanelsHaveTheirOwnIdsAndPlaces) {
  const json all = dashboard();
  std::set<int> ids;
  std::vector<Place> places;
  for (const auto& panel : all.at("panels")) {
    const std::string title = panel.at("title");
    EXPECT_TRUE(ids.insert(panel.at("id").get<int>()).second) << title;
    const Place place(panel);
    EXPECT_GT(place.w * place.h, 0) << title;
    EXPECT_LE(place.x + place.w, 24) << title;
    for (const auto& other : places) EXPECT_FALSE(place.overlaps(other)) << title;
    places.push_back(place);
  }
}

TEST(Dashboard, IsOneRowAQuestion) {
  std::vector<std::string> rows;
  bool empty = true;
  const json all = dashboard();
  for (const auto& panel : all.at("panels")) {
    const bool is_row = panel.at("type") == "row";
    if (is_row) {
      EXPECT_TRUE(rows.empty() || !empty) << rows.back();
      rows.push_back(panel.at("title"));
    }
    empty = is_row;
  }
  EXPECT_FALSE(empty);
  EXPECT_EQ(
      rows,
      (std::vector<std::string>{"Is it learning?", "Is it fast?", "Who is slow?", "Is it safe?"}));
}

TEST(Dashboard, PanelsAskForTheChosenRunsAndSayWhatTheyShow) {
  const json all = dashboard();
  for (const auto& panel : all.at("panels")) {
    if (panel.at("type") == "row") continue;
    const std::string title = panel.at("title");
    EXPECT_FALSE(panel.at("description").get<std::string>().empty()) << title;
    EXPECT_FALSE(panel.at("targets").empty()) << title;
    std::set<std::string> names;
    for (const auto& target : panel.at("targets")) {
      EXPECT_TRUE(names.insert(target.at("refId")).second) << title;
      EXPECT_NE(target.at("expr").get<std::string>().find("run=~\"$run\""), std::string::npos)
          << title;
      EXPECT_EQ(target.at("datasource").at("uid"), "${datasource}") << title;
    }
  }
  std::set<std::string> variables;
  for (const auto& variable : all.at("templating").at("list"))
    variables.insert(variable.at("name"));
  EXPECT_EQ(variables, (std::set<std::string>{"datasource", "run"}));
}

}  // namespace
}  // namespace stc::monitoring
