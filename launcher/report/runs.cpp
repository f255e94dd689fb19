#include "launcher/report/runs.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "data/file.h"
#include "data/folder_listing.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kSearchDepth = 3;  // folders
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

/// One curve per name, in order of appearance; a step without the name leaves a gap.
void add_point(std::vector<ChartLine>& curves,
               const std::string& name,
               double step,
               const Json& value) {
  auto curve = std::ranges::find(curves, name, &ChartLine::label);
  if (curve == curves.end()) curve = curves.insert(curves.end(), ChartLine{name, {}, {}});
  curve->x.push_back(step);
  curve->y.push_back(value.is_number() ? value.get<double>() : kMissing);
}

bool is_position(const std::string& key) {
  return key == "step" || key == "epoch" || key == "samples" || key == "losses";
}

std::vector<ChartLine> read_curves(const fs::path& path) {
  std::vector<ChartLine> curves;
  std::istringstream lines(data::read_text(path));
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    // The last line of a run that is being written, or was cut off, may be incomplete.
    const bool is_torn = lines.eof();
    const auto json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (is_torn && !json.is_object()) break;
    STC_CHECK_DATA(json.is_object() && json.contains("step") && json["step"].is_number(),
                   "{}: line {} is not a JSON object with a number \"step\"",
                   path.string(),
                   number);
    const double step = json["step"].get<double>();
    if (json.contains("losses"))
      for (const auto& [name, value] : json["losses"].items())
        add_point(curves, "loss: " + name, step, value);
    for (const auto& [key, value] : json.items())
      if (!is_position(key)) add_point(curves, key, step, value);
  }
  return curves;
}

TrainingRun read_training(const fs::path& folder) {
  TrainingRun run;
  run.path = folder.string();
  run.curves = read_curves(folder / "metrics.jsonl");
  if (fs::exists(folder / "config.toml")) run.config = data::read_text(folder / "config.toml");
  if (fs::exists(folder / "summary.json"))
    run.summary = facts_of(read_json_object((folder / "summary.json").string()));
  return run;
}

/// Adds what `folder` is, or else what the folders inside it are. True if there is anything.
bool search(const fs::path& folder, int depth, ReportedRuns& runs) {
  const bool is_training = fs::exists(folder / "metrics.jsonl");
  const bool is_evaluation = fs::exists(folder / "results.json");
  if (is_training) runs.trainings.push_back(read_training(folder));
  if (is_evaluation) runs.evaluations.push_back(read_evaluation(folder.string()));
  if (is_training || is_evaluation) return true;
  if (fs::exists(folder / "job.json")) {
    runs.notes.push_back(
        text("{}: this evaluation has not finished (it has no results.json)", folder.string()));
    return true;
  }
  if (depth == 0) return false;
  std::vector<std::string> inside;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory()) inside.push_back(entry.path().string());
  }
  std::sort(inside.begin(), inside.end(), data::natural_less);
  bool found = false;
  for (const auto& path : inside) found |= search(path, depth - 1, runs);
  return found;
}

constexpr std::string_view kSettings = "settings.";

/// What the scores depend on, which excludes how they were computed and how long it took.
bool changes_scores(const std::string& fact) {
  if (fact == "weights" || fact == "data") return true;
  static const std::set<std::string> computing = {
      "settings.ranks", "settings.threads", "settings.weights_crc32c", "settings.precision"};
  return fact.starts_with(kSettings) && !computing.contains(fact);
}

std::string value_of(const ReportedEvaluation& evaluation, const std::string& fact) {
  for (const auto& [name, value] : evaluation.facts)
    if (name == fact) return value;
  return "";
}

/// Facts that are not the same in all of them, in the order of the first that has them.
std::vector<std::string> differing_facts(const std::vector<ReportedEvaluation*>& group) {
  std::vector<std::string> differing;
  for (const auto* evaluation : group) {
    for (const auto& fact : evaluation->facts) {
      const auto& name = fact.first;
      if (std::ranges::count(differing, name) != 0 || !changes_scores(name)) continue;
      const auto is_same = [&](const auto* other) { return value_of(*other, name) == fact.second; };
      if (!std::ranges::all_of(group, is_same)) differing.push_back(name);
    }
  }
  return differing;
}

std::string settings_of(const ReportedEvaluation& evaluation, std::vector<std::string> facts) {
  std::erase_if(facts, [&](const auto& fact) { return value_of(evaluation, fact).empty(); });
  return joined(facts, [&](const std::string& fact) {
    const auto name = fact.starts_with(kSettings) ? fact.substr(kSettings.size()) : fact;
    return text("{} {}", name, value_of(evaluation, fact));
  });
}

using Groups = std::map<std::pair<std::string, std::string>, std::vector<ReportedEvaluation*>>;

Groups by_label(Evaluations& evaluations) {
  Groups groups;
  for (auto& evaluation : evaluations)
    groups[{evaluation.benchmark, evaluation.label}].push_back(&evaluation);
  return groups;
}

/// Labels that are equal within a benchmark get the settings that differ, or else the path.
Evaluations with_distinct_labels(Evaluations evaluations) {
  for (const auto& [key, group] : by_label(evaluations)) {
    const auto facts = differing_facts(group);
    for (auto* evaluation : group) {
      const auto settings = settings_of(*evaluation, facts);
      if (!settings.empty()) evaluation->label += text(" ({})", settings);
    }
  }
  for (const auto& [key, group] : by_label(evaluations)) {
    if (group.size() == 1) continue;
    for (auto* evaluation : group) evaluation->label += text(" in {}", evaluation->path);
  }
  return evaluations;
}

}  // namespace

ReportedRuns read_runs(const std::vector<std::string>& paths) {
  ReportedRuns runs;
  for (const auto& given : paths) {
    STC_CHECK_DATA(
        fs::is_directory(given), "{}: no such folder; expected a run or an evaluation", given);
    fs::path path = fs::path(given).lexically_normal();
    if (path.filename().empty()) path = path.parent_path();
    STC_CHECK_DATA(search(path, kSearchDepth, runs),
                   "{}: holds no training run (metrics.jsonl) and no evaluation (results.json)",
                   given);
  }
  runs.evaluations = with_distinct_labels(std::move(runs.evaluations));
  return runs;
}

}  // namespace stc::launcher
