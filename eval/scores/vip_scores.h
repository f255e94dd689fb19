// Part IoU of VIP (docs/evaluation.md) for masks that were written to files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/benchmarks/vip.h"
#include "eval/scores/part_iou.h"

namespace stc::eval {

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

/// part,IoU,accuracy,IoU_without_first_frame: one line a part, and the mean; 17 significant digits.
void write_vip_csv(const std::string& path, const VipScores& scores);
/// sequence,frames,mIoU,mIoU_without_first_frame,pixel_accuracy.
void write_vip_sequences_csv(const std::string& path, const VipScores& scores);
/// A JSON object: mean_iou, mean_iou_without_first_frame, pixel_accuracy, mean_accuracy, parts
/// [{name, iou, accuracy}], sequences [{name, frames, mean_iou}].
std::string vip_json(const VipScores& scores);
/// A table for the terminal: one line a part, and the means, in percent.
std::string vip_table(const VipScores& scores);

}  // namespace stc::eval
