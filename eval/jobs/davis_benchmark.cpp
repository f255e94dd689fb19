#include <filesystem>

#include "eval/jobs/benchmarks.h"
#include "eval/scores/davis_scores.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

std::string first_annotation(const data::DavisSequence& sequence) {
  const auto& image = sequence.images.front();
  if (const auto path = find_annotation(sequence, std::filesystem::path(image).stem().string()))
    return *path;
  throw Error(
      Exit::kBadData,
      text("{}: the first frame has no annotation in {}", image, sequence.annotations.front()));
}

data::LabelMap read_truth(const std::string& path) {
  return resolve_void(data::read_label_png(path)).labels;
}

std::string lost_note(const std::vector<int>& objects, bool keep_channels) {
  return text("object {} vanishes from the first mask at feature size and cannot be followed{}",
              joined(objects),
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
  for (const auto& o : json)
    objects.push_back({sequence, o.at("object"), o.at("frames"), o.at("j"), o.at("f")});
  return objects;
}

StartClip open_clip(const data::DavisSequence& sequence) {
  check_scorable(sequence);
  const auto annotation = first_annotation(sequence);
  return [&sequence, annotation, first = resolve_void(data::read_label_png(annotation))](
             const ClipStart& start) {
    check_mask_size(first.labels, annotation, start.frame);
    const auto score = [&sequence, out = start.variant.out](ClipEvaluation& evaluation) -> Json {
      const auto result = score_sequence(sequence, out);
      for (const auto& line : result.notes) evaluation.note(line);
      return {{"objects", objects_json(result.objects)}};
    };
    auto evaluation =
        std::make_unique<MaskEvaluation>(start, sequence, first.labels, read_truth, score);
    const auto note = [&](const std::string& line) {
      evaluation->note(text("{}: {}", sequence.name, line));
    };
    const auto& lost = evaluation->lost_labels();
    if (!lost.empty()) note(lost_note(lost, start.variant.video.keep_channels));
    if (!first.note.empty()) note(first.note);
    return evaluation;
  };
}

ScoreTables tables_of(const std::vector<ClipRecord>& records) {
  std::vector<ObjectScore> objects;
  for (const auto& [clip, record] : records)
    for (auto& object : objects_of(record.at("objects"), clip))
      objects.push_back(std::move(object));
  return davis_tables(scores_of(std::move(objects)));
}

}  // namespace

Benchmark davis_benchmark(std::vector<data::DavisSequence> sequences, BenchmarkSetup setup) {
  return {std::move(sequences), std::move(setup), open_clip, tables_of};
}

}  // namespace stc::eval
