// PCK of JHMDB (docs/evaluation.md) for key points that were written to files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/benchmarks/jhmdb.h"
#include "eval/scores/pck.h"
#include "eval/scores/score_tables.h"

namespace stc::eval {

struct JhmdbClipScore {
  std::string clip;         ///< CLASS/CLIP
  std::int64_t frames = 0;  ///< that both the images and the truth have
  PckCounts reference, later_frames;
};

struct JhmdbScores {
  std::vector<JhmdbClipScore> clips;
  PckScores reference, later_frames;  ///< counts of all clips together
};

/// Reads truth and prediction of one clip. Throws stc::Error (kBadData) naming the file: absent,
/// misshapen, or with fewer frames than the clip.
JhmdbClipScore score_jhmdb_clip(const data::JhmdbClip& clip, const std::string& prediction);

JhmdbScores sum_jhmdb(std::vector<JhmdbClipScore> clips);

/// results.csv: rule,joint,scored,PCK@0.1,...: a line per rule and joint, and the mean of each
/// rule; in 0 .. 1. per-clip.csv: clip,frames,PCK@0.1,...: the mean over joints of each clip alone,
/// reference rule. The numbers: pck and pck_without_first_frame {"0.1": ..}, joints [{name, scored,
/// pck}], clips [{name, frames, pck}].
ScoreTables jhmdb_tables(const JhmdbScores& scores);

}  // namespace stc::eval
