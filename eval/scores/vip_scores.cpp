#include "eval/scores/vip_scores.h"

#include <filesystem>

#include "eval/scores/prediction_files.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;

data::LabelMap read_prediction(const std::string& path, const data::LabelMap& truth) {
  STC_CHECK_DATA(
      fs::is_regular_file(path),
      "{}: no such prediction; expected one for every annotated frame, named as in the truth",
      path);
  auto prediction = data::read_part_labels(path);
  check_same_size(path, prediction, truth);
  return prediction;
}

std::string parts_csv(const VipScores& scores) {
  std::string lines = "part,IoU,accuracy,IoU_without_first_frame\n";
  for (int part = 0; part < data::kPartCount; ++part)
    lines += text("{},{},{},{}\n",
                  data::kPartNames[part],
                  exact(scores.all.iou[part]),
                  exact(scores.all.accuracy[part]),
                  exact(scores.later_frames.iou[part]));
  return lines + text("mean,{},{},{}\n",
                      exact(scores.all.mean_iou),
                      exact(scores.all.mean_accuracy),
                      exact(scores.later_frames.mean_iou));
}

std::string sequences_csv(const VipScores& scores) {
  std::string lines = "sequence,frames,mIoU,mIoU_without_first_frame,pixel_accuracy\n";
  for (const auto& sequence : scores.sequences) {
    const auto all = part_scores(sequence.all());
    lines += text("{},{},{},{},{}\n",
                  csv_field(sequence.sequence),
                  sequence.frames,
                  exact(all.mean_iou),
                  exact(part_scores(sequence.later_frames).mean_iou),
                  exact(all.pixel_accuracy));
  }
  return lines;
}

Json numbers(const VipScores& scores) {
  auto parts = Json::array(), sequences = Json::array();
  for (int part = 0; part < data::kPartCount; ++part)
    parts.push_back({{"name", data::kPartNames[part]},
                     {"iou", json_of(scores.all.iou[part])},
                     {"accuracy", json_of(scores.all.accuracy[part])}});
  for (const auto& sequence : scores.sequences)
    sequences.push_back({{"name", sequence.sequence},
                         {"frames", sequence.frames},
                         {"mean_iou", part_scores(sequence.all()).mean_iou}});
  return {{"mean_iou", scores.all.mean_iou},
          {"mean_iou_without_first_frame", scores.later_frames.mean_iou},
          {"pixel_accuracy", scores.all.pixel_accuracy},
          {"mean_accuracy", scores.all.mean_accuracy},
          {"parts", parts},
          {"sequences", sequences}};
}

std::string terminal_table(const VipScores& scores) {
  const TextTable table{18, {8, 17, 10}};
  auto lines = table.line("part", {"IoU", "without frame 0", "accuracy"});
  for (int part = 0; part < data::kPartCount; ++part)
    lines += table.line(data::kPartNames[part],
                        {percent(scores.all.iou[part]),
                         percent(scores.later_frames.iou[part]),
                         percent(scores.all.accuracy[part])});
  lines += table.line("mean",
                      {percent(scores.all.mean_iou),
                       percent(scores.later_frames.mean_iou),
                       percent(scores.all.mean_accuracy)});
  return lines + table.line("pixel accuracy", {percent(scores.all.pixel_accuracy)});
}

}  // namespace

VipSequenceScore score_vip_sequence(const data::VipSequence& sequence,
                                    const std::string& prediction) {
  VipSequenceScore score;
  score.sequence = sequence.name;
  for (const auto& annotation : sequence.annotations) {
    const auto truth = data::read_part_labels(annotation);
    const auto path = predicted_path(prediction, sequence.name, annotation);
    auto& counts = score.frames++ == 0 ? score.first : score.later_frames;
    counts.add(truth, read_prediction(path, truth));
  }
  return score;
}

VipScores sum_vip(std::vector<VipSequenceScore> sequences) {
  PartCounts all, later_frames;
  for (const auto& sequence : sequences) {
    all += sequence.all();
    later_frames += sequence.later_frames;
  }
  return {std::move(sequences), part_scores(all), part_scores(later_frames)};
}

ScoreTables vip_tables(const VipScores& scores) {
  return {.numbers = numbers(scores),
          .text = terminal_table(scores),
          .score_name = "mIoU",
          .score = scores.all.mean_iou,
          .results = {"results.csv", parts_csv(scores)},
          .details = {"per-sequence.csv", sequences_csv(scores)}};
}

}  // namespace stc::eval
