#include "launcher/report/runs.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/file.h"
#include "data/folder_listing.h"
#include "launcher/report/files.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kDepth = 3;
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

/// One curve a name, in the order in which names come up; a step without the name has a gap.
class Curves {
 public:
  void add(const std::string& name, double step, const Json& value) {
    const double y = value.is_number() ? value.get<double>() : kNothing;
    auto curve = std::find_if(
        curves_.begin(), curves_.end(), [&](const ChartLine& line) { return line.label == name; });
    if (curve == curves_.end()) curve = curves_.insert(curves_.end(), ChartLine{name, {}, {}});
    curve->x.push_back(step);
    curve->y.push_back(y);
  }
  std::vector<ChartLine> take() { return std::move(curves_); }

 private:
  std::vector<ChartLine> curves_;
};

bool is_position(const std::string& key) {
  return key == "step" || key == "epoch" || key == "samples" || key == "losses";
}

std::vector<ChartLine> read_curves(const fs::path& path) {
  Curves curves;
  std::istringstream lines(data::read_text(path));
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    // A run that is being written, or was cut off, ends in half a line.
    const bool is_torn = lines.eof();
    const auto json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (is_torn && !json.is_object()) break;
    STC_CHECK_DATA(json.is_object() && json.contains("step") && json["step"].is_number(),
                   "{}: line {} is no JSON object with a number \"step\"",
                   path.string(),
                   number);
    const double step = json["step"].get<double>();
    if (json.contains("losses")) {
      for (const auto& [name, value] : json["losses"].items())
        curves.add("loss: " + name, step, value);
    }
    for (const auto& [key, value] : json.items()) {
      if (!is_position(key)) curves.add(key, step, value);
    }
  }
  return curves.take();
}

TrainingRun read_training(const fs::path& folder) {
  TrainingRun run;
  run.path = folder.string();
  run.curves = read_curves(folder / "metrics.jsonl");
  if (fs::exists(folder / "config.toml")) run.config = data::read_text(folder / "config.toml");
  if (fs::exists(folder / "summary.json"))
    collect_facts(read_json_object((folder / "summary.json").string()), "", &run.summary);
  return run;
}

/// Adds what `folder` is, or else what the folders inside are. True where anything was found.
bool collect(const fs::path& folder, int depth, ReportedRuns& runs) {
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
  for (const auto& path : inside) found |= collect(path, depth - 1, runs);
  return found;
}

}  // namespace

ReportedRuns read_runs(const std::vector<std::string>& paths) {
  ReportedRuns runs;
  for (const auto& given : paths) {
    STC_CHECK_DATA(
        fs::is_directory(given), "{}: no such folder; expected a run or an evaluation", given);
    fs::path path = fs::path(given).lexically_normal();
    if (path.filename().empty()) path = path.parent_path();
    STC_CHECK_DATA(collect(path, kDepth, runs),
                   "{}: holds no training run (metrics.jsonl) and no evaluation (results.json)",
                   given);
  }
  distinguish_labels(&runs.evaluations);
  return runs;
}

}  // namespace stc::launcher
