#include "eval/jobs/vip_benchmark.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "eval/jobs/mask_evaluation.h"
#include "eval/scores/vip_scores.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

Json json_of(const PartCounts& counts) {
  return {{"common", counts.common}, {"predicted", counts.predicted}, {"truth", counts.truth}};
}

PartCounts counts_of(const Json& json) {
  PartCounts counts;
  json.at("common").get_to(counts.common);
  json.at("predicted").get_to(counts.predicted);
  json.at("truth").get_to(counts.truth);
  return counts;
}

std::optional<data::LabelMap> truth_of(const data::VipSequence& sequence,
                                       const std::string& frame) {
  for (const auto& path : sequence.annotations)
    if (fs::path(path).stem() == frame) return data::read_part_labels(path);
  return std::nullopt;
}

std::string lost_note(const std::vector<int>& labels) {
  std::string list;
  for (const int label : labels)
    list += text(
        "{}{}", list.empty() ? "" : ", ", label == data::kNoPart ? "255" : data::kPartNames[label]);
  return text("vanishes from the first mask at feature size, and cannot be followed: {}", list);
}

}  // namespace

Benchmark::StartClip VipBenchmark::open_clip(std::size_t index) const {
  const auto& sequence = sequences_.at(index);
  const auto& annotation = sequence.annotations.front();
  return [this, &sequence, &annotation, labels = data::read_part_labels(annotation)](
             const Variant& variant, const data::Image& frame, const FrameFeatures& features) {
    check_mask_size(labels, annotation, frame);
    const auto score = [&sequence, out = variant.out](ClipEvaluation&) -> Json {
      const auto scored = score_vip_sequence(sequence, out);
      return {{"first", json_of(scored.first)}, {"later_frames", json_of(scored.later_frames)}};
    };
    const auto truth = [&sequence](const std::string& name) { return truth_of(sequence, name); };
    auto evaluation =
        std::make_unique<MaskEvaluation>(variant,
                                         sequence.name,
                                         features,
                                         labels,
                                         score,
                                         has_overlays() ? MaskEvaluation::Truth(truth) : nullptr);
    if (std::ranges::find(labels.labels, data::kNoPart) != labels.labels.end())
      evaluation->note(
          text("{}: 255 in the first mask is followed as a label of its own, so that 256 labels "
               "are carried along",
               sequence.name));
    const auto& lost = evaluation->lost_labels();
    if (!lost.empty()) evaluation->note(text("{}: {}", sequence.name, lost_note(lost)));
    return evaluation;
  };
}

ScoreTables VipBenchmark::tables_of(const std::vector<ClipRecord>& records) const {
  std::vector<VipSequenceScore> sequences;
  for (const auto& [clip, record] : records)
    sequences.push_back({clip,
                         record.at("frames").get<std::int64_t>(),
                         counts_of(record.at("first")),
                         counts_of(record.at("later_frames"))});
  return vip_tables(sum_vip(std::move(sequences)));
}

}  // namespace stc::eval
