#include "eval/scores/vip_scores.h"

#include <filesystem>
#include <numeric>

#include "eval/scores/prediction_files.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

using Shares = std::array<std::optional<double>, data::kPartCount>;

std::optional<double> share(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

double mean(const Shares& shares) {
  double sum = 0;
  int count = 0;
  for (const auto& value : shares) {
    if (!value) continue;
    sum += *value;
    ++count;
  }
  return count > 0 ? sum / count : 0;
}

std::int64_t sum(const std::array<std::int64_t, data::kPartCount>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

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

void PartCounts::add(const data::LabelMap& true_parts, const data::LabelMap& predicted_parts) {
  STC_CHECK(
      true_parts.height == predicted_parts.height && true_parts.width == predicted_parts.width,
      "predicted parts are {}x{}, their truth {}x{}; equal sizes are expected",
      predicted_parts.width,
      predicted_parts.height,
      true_parts.width,
      true_parts.height);
  for (std::size_t i = 0; i < true_parts.labels.size(); ++i) {
    const auto expected = true_parts.labels[i], found = predicted_parts.labels[i];
    if (expected == data::kNoPart) continue;
    ++truth[expected];
    if (found != data::kNoPart) ++predicted[found];
    if (found == expected) ++common[expected];
  }
}

PartCounts& PartCounts::operator+=(const PartCounts& other) {
  for (int part = 0; part < data::kPartCount; ++part) {
    common[part] += other.common[part];
    predicted[part] += other.predicted[part];
    truth[part] += other.truth[part];
  }
  return *this;
}

PartScores part_scores(const PartCounts& counts) {
  PartScores scores;
  for (int part = 0; part < data::kPartCount; ++part) {
    scores.iou[part] = share(counts.common[part],
                             counts.predicted[part] + counts.truth[part] - counts.common[part]);
    scores.accuracy[part] = share(counts.common[part], counts.truth[part]);
  }
  scores.mean_iou = mean(scores.iou);
  scores.mean_accuracy = mean(scores.accuracy);
  scores.pixel_accuracy = share(sum(counts.common), sum(counts.truth)).value_or(0);
  return scores;
}

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
