#include "launcher/report/evaluations.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <sstream>

#include "data/file.h"
#include "launcher/report/files.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

double number_at(const Json& json, const std::string& pointer) {
  const Json::json_pointer place(pointer);
  if (!json.contains(place) || !json.at(place).is_number())
    return std::numeric_limits<double>::quiet_NaN();
  return json.at(place).get<double>();
}

int count_at(const Json& json, const std::string& pointer) {
  const double count = number_at(json, pointer);
  return count > 0 ? static_cast<int>(count) : 0;
}

std::string text_at(const Json& json, const std::string& pointer) {
  const Json::json_pointer place(pointer);
  return json.contains(place) && json.at(place).is_string() ? json.at(place).get<std::string>()
                                                            : "";
}

/// The items of a list that have a name; a list that is absent is noted.
std::vector<Json> named_items(const Json& json,
                              const std::string& key,
                              const std::string& path,
                              std::vector<std::string>* notes) {
  std::vector<Json> items;
  const auto list = json.value(key, Json());
  if (list.is_array())
    std::copy_if(list.begin(), list.end(), std::back_inserter(items), [](const Json& item) {
      return !text_at(item, "/name").empty();
    });
  if (items.empty()) notes->push_back(text("{}: lists no {}", path, key));
  return items;
}

const BenchmarkForm& form_of(const Json& json, const std::string& path) {
  const auto name = text_at(json, "/benchmark");
  for (const auto& form : benchmark_forms())
    if (form.name == name) return form;
  throw Error(Exit::kBadData,
              text("{}: is not the result of `stc eval`: its \"benchmark\" is '{}'; expected "
                   "davis, jhmdb or vip",
                   path,
                   name));
}

/// The four fields after the name, which may be quoted and hold commas: split from the right.
struct FrameLine {
  std::string sequence, object;
  double jf = 0;

  FrameLine(std::string line, const std::string& path) {
    std::array<std::string, 4> fields;  // F, J, frame, object
    for (auto& field : fields) {
      const auto comma = line.rfind(',');
      STC_CHECK_DATA(comma != std::string::npos,
                     "{}: expected sequence,object,frame,J,F in each line; seen: {}",
                     path,
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
std::map<std::string, ChartLine> read_frames(const std::string& path) {
  std::map<std::string, ChartLine> curves;
  std::map<std::string, int> objects;
  std::istringstream lines(data::read_text(path));
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

std::vector<MeasureForm> pck_measures() {
  std::vector<MeasureForm> measures;
  for (const char* threshold : {"0.1", "0.2", "0.3", "0.4", "0.5"})
    measures.push_back(
        {text("{}{}", measures.empty() ? "PCK@" : "@", threshold), text("/pck/{}", threshold)});
  for (const char* threshold : {"0.1", "0.2", "0.3", "0.4", "0.5"})
    measures.push_back({text("@{}*", threshold), text("/pck_without_first_frame/{}", threshold)});
  return measures;
}

void collect_notes(const Json& json, const char* key, ReportedEvaluation* evaluation) {
  const auto list = json.value(key, Json::array());
  for (const auto& line : list)
    if (line.is_string()) evaluation->notes.push_back(line.get<std::string>());
}

}  // namespace

const std::vector<BenchmarkForm>& benchmark_forms() {
  static const std::vector<BenchmarkForm> forms = {
      {"davis",
       "DAVIS",
       {{"J&F", "/jf_mean"},
        {"J mean", "/j/mean"},
        {"J recall", "/j/recall"},
        {"J decay", "/j/decay", /*lower_is_better=*/true},
        {"F mean", "/f/mean"},
        {"F recall", "/f/recall"},
        {"F decay", "/f/decay", /*lower_is_better=*/true}},
       "sequence",
       "/jf_mean",
       "",
       "",
       "",
       "J&F, J and F are means over objects."},
      {"jhmdb",
       "JHMDB",
       pck_measures(),
       "clip",
       "/pck/0.1",
       "joint",
       "/pck/0.1",
       "PCK@0.1",
       "PCK is pooled over the frames of all clips, then the mean over joints; * leaves out the "
       "first frames, which are given."},
      {"vip",
       "VIP",
       {{"mIoU", "/mean_iou"},
        {"mIoU*", "/mean_iou_without_first_frame"},
        {"pixel accuracy", "/pixel_accuracy"},
        {"mean class accuracy", "/mean_accuracy"}},
       "sequence",
       "/mean_iou",
       "part",
       "/iou",
       "IoU",
       "Pixels are pooled over all sequences; mIoU is the mean over parts, background included; * "
       "leaves out the first frames, which are given."}};
  return forms;
}

ReportedEvaluation read_evaluation(const std::string& folder) {
  const auto path = (fs::path(folder) / "results.json").string();
  const Json json = read_json_object(path);
  const auto& form = form_of(json, path);
  ReportedEvaluation evaluation;
  evaluation.path = folder;
  evaluation.benchmark = form.name;
  evaluation.label = text_at(json, "/label");
  if (evaluation.label.empty()) evaluation.label = fs::path(folder).filename().string();
  evaluation.data = text_at(json, "/data");
  for (const auto& measure : form.measures) {
    evaluation.measures.push_back(number_at(json, measure.pointer));
    if (std::isnan(evaluation.measures.back()))
      evaluation.notes.push_back(text("{}: has no {}", path, measure.name));
  }
  for (const auto& clip : named_items(json, form.clip + "s", path, &evaluation.notes))
    evaluation.clips.push_back({text_at(clip, "/name"),
                                count_at(clip, "/objects"),
                                count_at(clip, "/frames"),
                                number_at(clip, form.clip_score)});
  if (!form.part.empty())
    for (const auto& part : named_items(json, form.part + "s", path, &evaluation.notes))
      evaluation.parts.emplace_back(text_at(part, "/name"), number_at(part, form.part_score));
  for (const char* key : {"weights", "data", "settings", "timings", "version"}) {
    if (json.contains(key)) collect_facts({{key, json[key]}}, "", &evaluation.facts);
  }
  collect_notes(json, "failed", &evaluation);
  collect_notes(json, "notes", &evaluation);
  const auto frames = fs::path(folder) / "per-frame.csv";
  if (fs::exists(frames)) evaluation.frames = read_frames(frames.string());
  return evaluation;
}

std::vector<ReportedClip> ranked_clips(const ReportedEvaluation& evaluation) {
  auto clips = evaluation.clips;
  std::erase_if(clips, [](const ReportedClip& clip) { return std::isnan(clip.score); });
  std::stable_sort(clips.begin(), clips.end(), [](const ReportedClip& a, const ReportedClip& b) {
    return a.score > b.score;
  });
  return clips;
}

}  // namespace stc::launcher
