#include "launcher/report_runs.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/file.h"
#include "data/frame_source.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr int kDepth = 3;
constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();

std::string read_text(const fs::path& path) {
  const auto bytes = data::read_file(path.string());
  return {bytes.begin(), bytes.end()};
}

Json read_json(const fs::path& path) {
  const auto json = Json::parse(read_text(path), nullptr, /*allow_exceptions=*/false);
  STC_CHECK_DATA(
      json.is_object(), path.string(), ": is no JSON object; make the evaluation or the run again");
  return json;
}

std::string plain(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) return short_number(value.get<double>(), 4);
  return value.dump();
}

/// Nested objects give "outer.inner".
void collect_facts(const Json& json, const std::string& prefix, Facts& facts) {
  for (const auto& [key, value] : json.items()) {
    if (value.is_object()) {
      collect_facts(value, prefix + key + ".", facts);
    } else {
      facts.emplace_back(prefix + key, plain(value));
    }
  }
}

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
  std::istringstream lines(read_text(path));
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    // A run that is being written, or was cut off, ends in half a line.
    const bool is_torn = lines.eof();
    const auto json = Json::parse(line, nullptr, /*allow_exceptions=*/false);
    if (is_torn && !json.is_object()) break;
    STC_CHECK_DATA(json.is_object() && json.contains("step") && json["step"].is_number(),
                   path.string(),
                   ": line ",
                   number,
                   " is no JSON object with a number \"step\"");
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
  if (fs::exists(folder / "config.toml")) run.config = read_text(folder / "config.toml");
  if (fs::exists(folder / "summary.json"))
    collect_facts(read_json(folder / "summary.json"), "", run.summary);
  return run;
}

eval::Statistics statistics_in(const Json& json) {
  return {json.at("mean").get<double>(),
          json.at("recall").get<double>(),
          json.at("decay").get<double>()};
}

/// The four fields after the name, which may be quoted and hold commas: split from the right.
struct FrameLine {
  std::string sequence, object;
  double jf = 0;

  FrameLine(std::string line, const fs::path& path) {
    std::array<std::string, 4> fields;  // F, J, frame, object
    for (auto& field : fields) {
      const auto comma = line.rfind(',');
      STC_CHECK_DATA(comma != std::string::npos,
                     path.string(),
                     ": expected sequence,object,frame,J,F in each line; seen: ",
                     line);
      field = line.substr(comma + 1);
      line.resize(comma);
    }
    if (line.size() >= 2 && line.front() == '"') line = line.substr(1, line.size() - 2);
    sequence = line;
    object = fields[3];
    jf = (std::strtod(fields[0].c_str(), nullptr) + std::strtod(fields[1].c_str(), nullptr)) / 2;
  }
};

/// J&F of each frame, the mean over the sequence's objects. The file lists one object after the
/// other.
std::map<std::string, ChartLine> read_frames(const fs::path& path) {
  std::map<std::string, ChartLine> curves;
  std::map<std::string, int> objects;
  std::istringstream lines(read_text(path));
  std::string line, sequence, object;
  std::size_t frame = 0;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    const FrameLine values(line, path);
    const bool is_next_frame = values.sequence == sequence && values.object == object;
    frame = is_next_frame ? frame + 1 : 0;
    if (!is_next_frame) ++objects[values.sequence];
    sequence = values.sequence;
    object = values.object;
    auto& curve = curves[sequence];
    if (frame == curve.y.size()) {
      curve.x.push_back(static_cast<double>(frame + 1));
      curve.y.push_back(0);
    }
    curve.y[frame] += values.jf;
  }
  for (auto& [name, curve] : curves) {
    for (double& y : curve.y) y /= objects[name];
  }
  return curves;
}

ReportedEvaluation read_evaluation(const fs::path& folder) {
  const auto path = folder / "results.json";
  const Json json = read_json(path);
  ReportedEvaluation evaluation;
  evaluation.path = folder.string();
  try {
    evaluation.label = json.value("label", "");
    evaluation.data = json.value("data", "");
    evaluation.jf_mean = json.at("jf_mean").get<double>();
    evaluation.j = statistics_in(json.at("j"));
    evaluation.f = statistics_in(json.at("f"));
    for (const auto& one : json.at("sequences")) {
      evaluation.sequences.push_back({one.at("name").get<std::string>(),
                                      one.value("objects", 0),
                                      one.value("frames", 0),
                                      one.at("j_mean").get<double>(),
                                      one.at("f_mean").get<double>()});
    }
  } catch (const Json::exception& error) {
    throw Error(Exit::kBadData,
                text(path.string(), ": is not the result of `stc eval davis`: ", error.what()));
  }
  if (evaluation.label.empty()) evaluation.label = fs::path(folder).filename().string();
  for (const char* key : {"weights", "data", "settings", "timings", "version"}) {
    if (json.contains(key)) collect_facts({{key, json[key]}}, "", evaluation.facts);
  }
  if (fs::exists(folder / "per-frame.csv")) {
    evaluation.frames = read_frames(folder / "per-frame.csv");
  }
  return evaluation;
}

/// Adds what `folder` is, or else what the folders inside are. True where anything was found.
bool collect(const fs::path& folder, int depth, ReportedRuns& runs) {
  const bool is_training = fs::exists(folder / "metrics.jsonl");
  const bool is_evaluation = fs::exists(folder / "results.json");
  if (is_training) runs.trainings.push_back(read_training(folder));
  if (is_evaluation) runs.evaluations.push_back(read_evaluation(folder));
  if (is_training || is_evaluation) return true;
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
        fs::is_directory(given), given, ": no such folder; expected a run or an evaluation");
    fs::path path = fs::path(given).lexically_normal();
    if (path.filename().empty()) path = path.parent_path();
    STC_CHECK_DATA(collect(path, kDepth, runs),
                   given,
                   ": holds no training run (metrics.jsonl) and no evaluation (results.json)");
  }
  return runs;
}

}  // namespace stc::launcher
