// Part IoU of VIP (docs/evaluation.md) for masks that were written to files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/benchmarks/vip.h"
#include "eval/scores/part_iou.h"
#include "eval/scores/score_tables.h"

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

/// results.csv: part,IoU,accuracy,IoU_without_first_frame: a line per part, and the mean.
/// per-sequence.csv: sequence,frames,mIoU,mIoU_without_first_frame,pixel_accuracy. The numbers:
/// mean_iou, mean_iou_without_first_frame, pixel_accuracy, mean_accuracy, parts [{name, iou,
/// accuracy}], sequences [{name, frames, mean_iou}].
ScoreTables vip_tables(const VipScores& scores);

}  // namespace stc::eval
