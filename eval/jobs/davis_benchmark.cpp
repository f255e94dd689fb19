#include "eval/jobs/davis_benchmark.h"

#include <filesystem>
#include <memory>
#include <optional>

#include "eval/jobs/mask_evaluation.h"
#include "eval/scores/davis_tables.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

std::string stem(const std::string& path) { return fs::path(path).stem().string(); }

std::optional<std::string> find_annotation(const data::DavisSequence& sequence,
                                           const std::string& frame) {
  for (const auto& path : sequence.annotations)
    if (stem(path) == frame) return path;
  return std::nullopt;
}

std::string annotation_of(const data::DavisSequence& sequence, const std::string& image) {
  if (const auto path = find_annotation(sequence, stem(image))) return *path;
  throw Error(
      Exit::kBadData,
      text("{}: the first frame has no annotation in {}", image, sequence.annotations.front()));
}

std::optional<data::LabelMap> truth_of(const data::DavisSequence& sequence,
                                       const std::string& frame) {
  const auto path = find_annotation(sequence, frame);
  if (!path) return std::nullopt;
  return resolve_void(data::read_label_png(*path)).labels;
}

std::string lost_note(const std::vector<int>& objects, bool keep_channels) {
  std::string list;
  for (const int object : objects) list += (list.empty() ? "" : ", ") + std::to_string(object);
  return text("object {} vanishes from the first mask at feature size and cannot be followed{}",
              list,
              keep_channels ? "" : " (its channel is lost, too, if no higher one is left)");
}

Json objects_json(const std::vector<ObjectScore>& objects) {
  auto json = Json::array();
  for (const auto& o : objects)
    json.push_back({{"object", o.object}, {"frames", o.frames}, {"j", o.j}, {"f", o.f}});
  return json;
}

// JSON keeps a double to its last bit.
std::vector<ObjectScore> objects_of(const Json& json, const std::string& sequence) {
  std::vector<ObjectScore> objects;
  for (const auto& o : json) {
    const auto j = o.at("j").get<std::vector<double>>(), f = o.at("f").get<std::vector<double>>();
    objects.push_back({sequence,
                       o.at("object").get<int>(),
                       o.at("frames").get<std::vector<std::string>>(),
                       j,
                       f,
                       statistics_of(j),
                       statistics_of(f)});
  }
  return objects;
}

}  // namespace

Benchmark::StartClip DavisBenchmark::open_clip(std::size_t index) const {
  const auto& sequence = sequences_.at(index);
  check_scorable(sequence);
  const auto annotation = annotation_of(sequence, sequence.images.front());
  return [this, &sequence, annotation, first = resolve_void(data::read_label_png(annotation))](
             const Variant& variant, const data::Image& frame, const FrameFeatures& features) {
    check_mask_size(first.labels, annotation, frame);
    const auto score = [&sequence, out = variant.out](ClipEvaluation& evaluation) -> Json {
      const auto result = score_sequence(sequence, out);
      for (const auto& line : result.notes) evaluation.note(line);
      return {{"objects", objects_json(result.objects)}};
    };
    const auto truth = [&sequence](const std::string& name) { return truth_of(sequence, name); };
    auto evaluation =
        std::make_unique<MaskEvaluation>(variant,
                                         sequence.name,
                                         features,
                                         first.labels,
                                         score,
                                         has_overlays() ? MaskEvaluation::Truth(truth) : nullptr);
    const auto& lost = evaluation->lost_labels();
    if (!lost.empty())
      evaluation->note(text("{}: {}", sequence.name, lost_note(lost, variant.video.keep_channels)));
    if (!first.note.empty()) evaluation->note(text("{}: {}", sequence.name, first.note));
    return evaluation;
  };
}

ScoreTables DavisBenchmark::tables_of(const std::vector<ClipRecord>& records) const {
  std::vector<ObjectScore> objects;
  for (const auto& [clip, record] : records)
    for (auto& object : objects_of(record.at("objects"), clip))
      objects.push_back(std::move(object));
  return davis_tables(scores_of(std::move(objects)));
}

}  // namespace stc::eval
