#include "eval/jobs/vip_benchmark.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>

#include "eval/jobs/mask_run.h"
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

VipBenchmark::VipBenchmark(const models::ResNet& trunk,
                           std::vector<data::VipSequence> sequences,
                           const VipBenchmarkOptions& options,
                           std::vector<Variant> variants)
    : trunk_(trunk),
      sequences_(std::move(sequences)),
      options_(options),
      variants_(std::move(variants)) {}

std::vector<Clip> VipBenchmark::clips() const {
  std::vector<Clip> clips;
  for (const auto& sequence : sequences_)
    clips.push_back({sequence.name, static_cast<std::int64_t>(sequence.images.size())});
  return clips;
}

std::vector<Json> VipBenchmark::evaluate(std::size_t index, const OnFrame& on_frame) const {
  const auto& sequence = sequences_.at(index);
  STC_CHECK_DATA(sequence.fault.empty(), "{}", sequence.fault);
  const auto& annotation = sequence.annotations.front();
  const auto labels = data::read_part_labels(annotation);
  const auto truth = [&](const std::string& frame) { return truth_of(sequence, frame); };
  const auto start =
      [&](const Variant& variant, const data::Image& first, const FrameFeatures& features) {
        check_mask_size(labels, annotation, first);
        const auto score = [&sequence, out = variant.out](ClipRun&) -> Json {
          const auto scored = score_vip_sequence(sequence, out);
          return {{"first", json_of(scored.first)}, {"later_frames", json_of(scored.later_frames)}};
        };
        auto run = std::make_unique<MaskRun>(variant,
                                             sequence.name,
                                             features,
                                             labels,
                                             score,
                                             options_.overlays ? MaskRun::Truth(truth) : nullptr);
        if (std::ranges::find(labels.labels, data::kNoPart) != labels.labels.end())
          run->note(
              text("{}: 255 in the first mask is followed as a label of its own, so that 256 "
                   "labels are carried along",
                   sequence.name));
        if (!run->lost_labels().empty())
          run->note(text("{}: {}", sequence.name, lost_note(run->lost_labels())));
        return run;
      };
  return run_clip(
      trunk_, options_.input, sequence.name, sequence.images, variants_, start, on_frame);
}

Summary VipBenchmark::summarise(const std::string& out, const std::vector<Json>& records) const {
  std::vector<VipSequenceScore> sequences;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const auto& record = records[i];
    if (record.is_null()) continue;
    sequences.push_back({sequences_.at(i).name,
                         record.at("frames").get<std::int64_t>(),
                         counts_of(record.at("first")),
                         counts_of(record.at("later_frames"))});
  }
  const auto scores = sum_vip(std::move(sequences));
  write_vip_csv((fs::path(out) / "results.csv").string(), scores);
  write_vip_sequences_csv((fs::path(out) / "per-sequence.csv").string(), scores);
  return {Json::parse(vip_json(scores)), vip_table(scores), "mIoU", scores.all.mean_iou};
}

}  // namespace stc::eval
