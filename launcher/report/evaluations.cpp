#include "launcher/report/evaluations.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <limits>
#include <sstream>

#include "data/file.h"
#include "eval/scores/score_tables.h"
#include "launcher/report/html.h"
#include "monitoring/check.h"
#include "monitoring/printable.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string plain(const Json& value) {
  if (value.is_string()) return unescaped(value.get<std::string>());
  if (value.is_number_float()) return short_number(value.get<double>(), 4);
  return value.dump();
}

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
  const bool is_text = json.contains(place) && json.at(place).is_string();
  return is_text ? unescaped(json.at(place).get<std::string>()) : "";
}

/// The items of a list that have a name.
std::vector<ScoredItem> scored_items(const Json& json,
                                     const std::string& key,
                                     const std::string& score) {
  std::vector<ScoredItem> items;
  const auto list = json.value(key, Json());
  if (!list.is_array()) return items;
  for (const auto& item : list) {
    const auto name = text_at(item, "/name");
    if (!name.empty())
      items.push_back(
          {name, count_at(item, "/objects"), count_at(item, "/frames"), number_at(item, score)});
  }
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

/// J&F of each frame, the mean over the sequence's objects. The file lists object after object.
std::map<std::string, ChartLine> read_frames(const std::string& path) {
  std::map<std::string, ChartLine> curves;
  std::map<std::string, int> objects;
  std::istringstream lines(data::read_text(path));
  std::string sequence, object;
  std::size_t frame = 0;
  eval::next_csv_row(lines);  // the names of the columns
  for (auto row = eval::next_csv_row(lines); !row.empty(); row = eval::next_csv_row(lines)) {
    STC_CHECK_DATA(row.size() == 5,
                   "{}: expected sequence,object,frame,J,F in each line; seen: {}",
                   path,
                   joined(row, {}, ","));
    const bool is_next_frame = row[0] == sequence && row[1] == object;
    frame = is_next_frame ? frame + 1 : 0;
    if (!is_next_frame) ++objects[row[0]];
    sequence = row[0];
    object = row[1];
    auto& curve = curves[sequence];
    if (frame == curve.y.size()) {
      curve.x.push_back(static_cast<double>(frame + 1));
      curve.y.push_back(0);
    }
    curve.y[frame] +=
        (std::strtod(row[3].c_str(), nullptr) + std::strtod(row[4].c_str(), nullptr)) / 2;
  }
  for (auto& [name, curve] : curves)
    for (double& y : curve.y) y /= objects[name];
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

const std::vector<BenchmarkForm> kBenchmarkForms = {
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

std::vector<std::string> notes_of(const Json& json) {
  std::vector<std::string> notes;
  for (const char* key : {"failed", "notes"})
    for (const auto& line : json.value(key, Json::array()))
      if (line.is_string()) notes.push_back(unescaped(line.get<std::string>()));
  return notes;
}

/// What the file lacks of the form.
std::vector<std::string> missing_in(const ReportedEvaluation& evaluation,
                                    const BenchmarkForm& form,
                                    const std::string& path) {
  std::vector<std::string> notes;
  for (std::size_t m = 0; m < form.measures.size(); ++m)
    if (std::isnan(evaluation.measures[m]))
      notes.push_back(text("{}: has no {}", path, form.measures[m].name));
  if (evaluation.clips.empty()) notes.push_back(text("{}: lists no {}s", path, form.clip));
  if (evaluation.parts.empty() && !form.part.empty())
    notes.push_back(text("{}: lists no {}s", path, form.part));
  return notes;
}

}  // namespace

Json read_json_object(const std::string& path) {
  auto json = Json::parse(data::read_text(path), nullptr, /*allow_exceptions=*/false);
  STC_CHECK_DATA(
      json.is_object(), "{}: is not a JSON object; run the evaluation or the training again", path);
  return json;
}

Facts facts_of(const Json& json, const std::string& prefix) {
  Facts facts;
  for (const auto& [key, value] : json.items()) {
    if (value.is_object()) {
      std::ranges::copy(facts_of(value, prefix + key + "."), std::back_inserter(facts));
    } else {
      facts.emplace_back(prefix + key, plain(value));
    }
  }
  return facts;
}

const std::vector<BenchmarkForm>& benchmark_forms() { return kBenchmarkForms; }

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
  for (const auto& measure : form.measures)
    evaluation.measures.push_back(number_at(json, measure.pointer));
  evaluation.clips = scored_items(json, form.clip + "s", form.clip_score);
  if (!form.part.empty()) evaluation.parts = scored_items(json, form.part + "s", form.part_score);
  Json stated;
  for (const char* key : {"weights", "data", "settings", "timings", "version"})
    if (json.contains(key)) stated[key] = json[key];
  evaluation.facts = facts_of(stated);
  evaluation.notes = missing_in(evaluation, form, path);
  std::ranges::copy(notes_of(json), std::back_inserter(evaluation.notes));
  const auto frames = fs::path(folder) / "per-frame.csv";
  if (fs::exists(frames)) evaluation.frames = read_frames(frames.string());
  return evaluation;
}

std::vector<ScoredItem> ranked_clips(const ReportedEvaluation& evaluation) {
  auto clips = evaluation.clips;
  std::erase_if(clips, [](const ScoredItem& clip) { return std::isnan(clip.score); });
  std::ranges::stable_sort(clips, std::ranges::greater{}, &ScoredItem::score);
  return clips;
}

Evaluations evaluations_of(const BenchmarkForm& form, const Evaluations& all) {
  auto found = all;
  std::erase_if(found, [&](const auto& evaluation) { return evaluation.benchmark != form.name; });
  return found;
}

}  // namespace stc::launcher
