#include <algorithm>

#include "eval/jobs/benchmarks.h"
#include "eval/scores/vip_scores.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

Json json_of(const PartCounts& counts) {
  return {{"common", counts.common}, {"predicted", counts.predicted}, {"truth", counts.truth}};
}

PartCounts counts_of(const Json& json) {
  return {json.at("common"), json.at("predicted"), json.at("truth")};
}

std::string lost_note(const std::vector<int>& labels) {
  const auto name = [](int label) {
    return label == data::kNoPart ? "255" : data::kPartNames[label];
  };
  return text("vanishes from the first mask at feature size, and cannot be followed: {}",
              joined(labels, name));
}

StartClip open_clip(const data::VipSequence& sequence) {
  const auto& annotation = sequence.annotations.front();
  return [&, labels = data::read_part_labels(annotation)](const ClipStart& start) {
    check_mask_size(labels, annotation, start.frame);
    const auto score = [&sequence, out = start.variant.out](ClipEvaluation&) -> Json {
      const auto scored = score_vip_sequence(sequence, out);
      return {{"first", json_of(scored.first)}, {"later_frames", json_of(scored.later_frames)}};
    };
    auto evaluation =
        std::make_unique<MaskEvaluation>(start, sequence, labels, data::read_part_labels, score);
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

ScoreTables tables_of(const std::vector<ClipRecord>& records) {
  std::vector<VipSequenceScore> sequences;
  for (const auto& [clip, record] : records)
    sequences.push_back({clip,
                         record.at("frames").get<std::int64_t>(),
                         counts_of(record.at("first")),
                         counts_of(record.at("later_frames"))});
  return vip_tables(sum_vip(std::move(sequences)));
}

}  // namespace

Benchmark vip_benchmark(std::vector<data::VipSequence> sequences, BenchmarkSetup setup) {
  return {std::move(sequences), std::move(setup), open_clip, tables_of};
}

}  // namespace stc::eval
