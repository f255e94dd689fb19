#include "launcher/report/runs.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/file.h"
#include "data/folder_listing.h"
#include "launcher/report/files.h"
#include "launcher/report/labels.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kSearchDepth = 3;  // folders
constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

/// One curve per name, in order of appearance; a step without the name leaves a gap.
class Curves {
 public:
  void add(const std::string& name, double step, const Json& value) {
    const double y = value.is_number() ? value.get<double>() : kMissing;
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
    // The last line of a run that is being written, or was cut off, may be incomplete.
    const bool is_torn = lines.eof();
    const auto json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (is_torn && !json.is_object()) break;
    STC_CHECK_DATA(json.is_object() && json.contains("step") && json["step"].is_number(),
                   "{}: line {} is not a JSON object with a number \"step\"",
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
    run.summary = facts_of(read_json_object((folder / "summary.json").string()));
  return run;
}

class RunSearch {
 public:
  /// Finds what `folder` is, or else what the folders inside it are. True if there is anything.
  bool search(const fs::path& folder, int depth);
  ReportedRuns take() { return std::move(runs_); }

 private:
  ReportedRuns runs_;
};

bool RunSearch::search(const fs::path& folder, int depth) {
  const bool is_training = fs::exists(folder / "metrics.jsonl");
  const bool is_evaluation = fs::exists(folder / "results.json");
  if (is_training) runs_.trainings.push_back(read_training(folder));
  if (is_evaluation) runs_.evaluations.push_back(read_evaluation(folder.string()));
  if (is_training || is_evaluation) return true;
  if (fs::exists(folder / "job.json")) {
    runs_.notes.push_back(
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
  for (const auto& path : inside) found |= search(path, depth - 1);
  return found;
}

}  // namespace

ReportedRuns read_runs(const std::vector<std::string>& paths) {
  RunSearch search;
  for (const auto& given : paths) {
    STC_CHECK_DATA(
        fs::is_directory(given), "{}: no such folder; expected a run or an evaluation", given);
    fs::path path = fs::path(given).lexically_normal();
    if (path.filename().empty()) path = path.parent_path();
    STC_CHECK_DATA(search.search(path, kSearchDepth),
                   "{}: holds no training run (metrics.jsonl) and no evaluation (results.json)",
                   given);
  }
  ReportedRuns runs = search.take();
  runs.evaluations = with_distinct_labels(std::move(runs.evaluations));
  return runs;
}

}  // namespace stc::launcher
