#include <filesystem>

#include "data/benchmarks/object_masks.h"
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

data::LabelMap read_truth(const std::string& path) { return read_first_mask(path).labels; }

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

// Test sets come with the masks of first frames alone.
bool has_truth(const data::DavisSequence& sequence) { return sequence.annotations.size() > 1; }

// Before the clip is propagated, so that nothing is computed for masks that cannot be scored.
void check_masks(const data::DavisSequence& sequence, const data::LabelMap& first) {
  for (const auto& path : sequence.annotations) {
    const auto mask = data::read_object_mask(path);
    STC_CHECK_DATA(mask.height == first.height && mask.width == first.width,
                   "{}: is {}x{} (height x width), the first mask of its sequence {}x{}; expected "
                   "equal sizes",
                   path,
                   mask.height,
                   mask.width,
                   first.height,
                   first.width);
  }
}

Json score_clip(const data::DavisSequence& sequence,
                const std::string& out,
                ClipEvaluation& evaluation) {
  if (!has_truth(sequence)) {
    evaluation.note(
        text("sequence '{}': only its first frame has a mask; masks were written, and "
             "nothing was scored",
             sequence.name));
    return {{"objects", Json::array()}, {"has_truth", false}};
  }
  const auto result = score_sequence(sequence, out);
  for (const auto& line : result.notes) evaluation.note(line);
  return {{"objects", objects_json(result.objects)}};
}

StartClip open_clip(const data::DavisSequence& sequence) {
  if (has_truth(sequence)) check_scorable(sequence);
  const auto annotation = first_annotation(sequence);
  auto mask = read_first_mask(annotation);
  check_masks(sequence, mask.labels);
  return [&sequence, annotation, first = std::move(mask)](const ClipStart& start) {
    check_mask_size(first.labels, annotation, start.frame);
    const auto score = [&sequence, out = start.variant.out](ClipEvaluation& evaluation) {
      return score_clip(sequence, out, evaluation);
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
  bool is_scored = false;
  for (const auto& [clip, record] : records) {
    is_scored |= record.value("has_truth", true);
    for (auto& object : objects_of(record.at("objects"), clip))
      objects.push_back(std::move(object));
  }
  if (!is_scored) return davis_tables({});
  return davis_tables(scores_of(std::move(objects)));
}

}  // namespace

Benchmark davis_benchmark(std::vector<data::DavisSequence> sequences, BenchmarkSetup setup) {
  for (auto& sequence : sequences) {
    if (!sequence.fault.empty() || !has_truth(sequence)) continue;
    sequence.fault = data::fault_of(true, [&] { check_scorable(sequence); });
  }
  return {std::move(sequences), std::move(setup), open_clip, tables_of};
}

}  // namespace stc::eval
