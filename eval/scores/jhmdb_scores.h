// PCK of JHMDB (docs/evaluation.md) for key points that were written to files.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/benchmarks/jhmdb.h"
#include "eval/scores/pck.h"

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

/// FOLDER/CLASS/CLIP.csv, where a clip's key points are.
std::string key_points_path(const std::string& folder, const std::string& clip);

/// Reads truth and prediction of one clip. Throws stc::Error (kBadData) naming the file: absent,
/// misshapen, or of fewer frames than the clip.
JhmdbClipScore score_jhmdb_clip(const data::JhmdbClip& clip, const std::string& prediction);

JhmdbScores sum_jhmdb(std::vector<JhmdbClipScore> clips);

/// rule,joint,scored,PCK@0.1,...: one line a rule and joint, and its mean; 17 significant digits,
/// in 0 .. 1.
void write_jhmdb_csv(const std::string& path, const JhmdbScores& scores);
/// clip,frames,PCK@0.1,...: the mean over joints of each clip alone, reference rule.
void write_jhmdb_clips_csv(const std::string& path, const JhmdbScores& scores);
/// A JSON object: pck and pck_without_first_frame {"0.1": ..}, joints [{name, scored, pck}], clips
/// [{name, frames, pck}].
std::string jhmdb_json(const JhmdbScores& scores);
/// A table for the terminal: one line a joint, and the means, in percent.
std::string jhmdb_table(const JhmdbScores& scores);

}  // namespace stc::eval
