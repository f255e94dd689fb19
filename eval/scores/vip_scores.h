// Intersection over union of VIP's parts (docs/evaluation.md). Counts of frames add up, so that
// clips may be scored anywhere.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/benchmarks/vip.h"
#include "data/images/image.h"
#include "eval/scores/score_tables.h"

namespace stc::eval {

/// Pixels by part.
struct PartCounts {
  std::array<std::int64_t, data::kPartCount> common{};     ///< truth and prediction agree
  std::array<std::int64_t, data::kPartCount> predicted{};  ///< only in frames with a truth
  std::array<std::int64_t, data::kPartCount> truth{};

  /// Adds one frame; the sizes must be equal. Pixels whose truth is 255 are left out; one that is
  /// predicted as 255 counts as no part.
  void add(const data::LabelMap& true_parts, const data::LabelMap& predicted_parts);
  PartCounts& operator+=(const PartCounts& other);
};

struct PartScores {
  std::array<std::optional<double>, data::kPartCount> iou;       ///< none if neither shows the part
  std::array<std::optional<double>, data::kPartCount> accuracy;  ///< none if the truth lacks it
  double mean_iou = 0;  ///< over the parts that have one, background too
  double mean_accuracy = 0;
  double pixel_accuracy = 0;
};

PartScores part_scores(const PartCounts& counts);

struct VipSequenceScore {
  std::string sequence;
  std::int64_t frames = 0;
  PartCounts first, later_frames;
  PartCounts all() const { return PartCounts(first) += later_frames; }
};

struct VipScores {
  std::vector<VipSequenceScore> sequences;
  PartScores all, later_frames;  ///< counts of all sequences together
};

/// prediction: a folder of SEQ/*.png, named as the truth is. Throws stc::Error (kBadData) naming
/// file, label and expected size.
VipSequenceScore score_vip_sequence(const data::VipSequence& sequence,
                                    const std::string& prediction);

VipScores sum_vip(std::vector<VipSequenceScore> sequences);

/// results.csv: part,IoU,accuracy,IoU_without_first_frame: a line per part, and the mean.
/// per-sequence.csv: sequence,frames,mIoU,mIoU_without_first_frame,pixel_accuracy. The numbers:
/// mean_iou, mean_iou_without_first_frame, pixel_accuracy, mean_accuracy, parts [{name, iou,
/// accuracy}], sequences [{name, frames, mean_iou}].
ScoreTables vip_tables(const VipScores& scores);

}  // namespace stc::eval
