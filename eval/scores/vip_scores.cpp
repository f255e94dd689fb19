#include "eval/scores/vip_scores.h"

#include <filesystem>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "data/file.h"
#include "eval/scores/text_files.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

data::LabelMap read_prediction(const std::string& path, const data::LabelMap& truth) {
  STC_CHECK_DATA(
      fs::is_regular_file(path),
      "{}: no such prediction; expected one for every annotated frame, named as in the truth",
      path);
  auto prediction = data::read_part_labels(path);
  STC_CHECK_DATA(prediction.height == truth.height && prediction.width == truth.width,
                 "{}: is {}x{} (height x width); its truth is {}x{}. Predictions are scored at the "
                 "size of the truth",
                 path,
                 prediction.height,
                 prediction.width,
                 truth.height,
                 truth.width);
  return prediction;
}

std::string exact_or_empty(const std::optional<double>& share) {
  return share ? exact(*share) : "";
}

ordered_json number_or_null(const std::optional<double>& share) {
  return share ? ordered_json(*share) : ordered_json(nullptr);
}

std::string percent_or_dash(const std::optional<double>& share) {
  return share ? percent(*share) : "-";
}

}  // namespace

VipSequenceScore score_vip_sequence(const data::VipSequence& sequence,
                                    const std::string& prediction) {
  VipSequenceScore score;
  score.sequence = sequence.name;
  for (const auto& annotation : sequence.annotations) {
    const auto truth = data::read_part_labels(annotation);
    const auto path = fs::path(prediction) / sequence.name / fs::path(annotation).filename();
    auto& counts = score.frames++ == 0 ? score.first : score.later_frames;
    counts.add(truth, read_prediction(path.string(), truth));
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

void write_vip_csv(const std::string& path, const VipScores& scores) {
  std::string lines = "part,IoU,accuracy,IoU_without_first_frame\n";
  for (int part = 0; part < data::kPartCount; ++part)
    lines += text("{},{},{},{}\n",
                  data::kPartNames[part],
                  exact_or_empty(scores.all.iou[part]),
                  exact_or_empty(scores.all.accuracy[part]),
                  exact_or_empty(scores.later_frames.iou[part]));
  lines += text("mean,{},{},{}\n",
                exact(scores.all.mean_iou),
                exact(scores.all.mean_accuracy),
                exact(scores.later_frames.mean_iou));
  data::write_text(path, lines);
}

void write_vip_sequences_csv(const std::string& path, const VipScores& scores) {
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
  data::write_text(path, lines);
}

std::string vip_json(const VipScores& scores) {
  auto parts = ordered_json::array(), sequences = ordered_json::array();
  for (int part = 0; part < data::kPartCount; ++part)
    parts.push_back({{"name", data::kPartNames[part]},
                     {"iou", number_or_null(scores.all.iou[part])},
                     {"accuracy", number_or_null(scores.all.accuracy[part])}});
  for (const auto& sequence : scores.sequences)
    sequences.push_back({{"name", sequence.sequence},
                         {"frames", sequence.frames},
                         {"mean_iou", part_scores(sequence.all()).mean_iou}});
  const ordered_json json = {{"mean_iou", scores.all.mean_iou},
                             {"mean_iou_without_first_frame", scores.later_frames.mean_iou},
                             {"pixel_accuracy", scores.all.pixel_accuracy},
                             {"mean_accuracy", scores.all.mean_accuracy},
                             {"parts", parts},
                             {"sequences", sequences}};
  return json.dump(2) + "\n";
}

std::string vip_table(const VipScores& scores) {
  std::ostringstream out;
  const auto line = [&](const std::string& name,
                        const std::string& iou,
                        const std::string& later,
                        const std::string& accuracy) {
    out << std::left << std::setw(18) << name << std::right << std::setw(8) << iou << std::setw(17)
        << later << std::setw(10) << accuracy << '\n';
  };
  line("part", "IoU", "without frame 0", "accuracy");
  for (int part = 0; part < data::kPartCount; ++part)
    line(data::kPartNames[part],
         percent_or_dash(scores.all.iou[part]),
         percent_or_dash(scores.later_frames.iou[part]),
         percent_or_dash(scores.all.accuracy[part]));
  line("mean",
       percent(scores.all.mean_iou),
       percent(scores.later_frames.mean_iou),
       percent(scores.all.mean_accuracy));
  out << "pixel accuracy    " << std::setw(8) << percent(scores.all.pixel_accuracy) << '\n';
  return out.str();
}

}  // namespace stc::eval
