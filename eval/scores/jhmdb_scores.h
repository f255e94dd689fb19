// PCK of JHMDB (docs/evaluation.md): the share of key points that lie within a part of the body's
// size of their truth. Counts of clips add up, so that clips may be scored anywhere.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/benchmarks/jhmdb.h"
#include "eval/scores/score_tables.h"

namespace stc::eval {

constexpr std::array<double, 5> kPckThresholds = {0.1, 0.2, 0.3, 0.4, 0.5};

enum class PckRule {
  kReference,    ///< all frames; a joint counts if its predicted x is above 0
  kLaterFrames,  ///< the first frame, which is given, is left out; x may be 0
};

struct PckCounts {
  std::array<std::int64_t, data::kJointCount> scored{};  ///< over frames, by joint
  std::array<std::array<std::int64_t, kPckThresholds.size()>, data::kJointCount> within{};

  PckCounts& operator+=(const PckCounts& other);
};

/// truth, predicted: [T, 15, 2], double, x and y in pixels from 0; frames that only one of them has
/// are left out. A joint is within `a` if its distance from the truth is at most a * 0.6 * the
/// diagonal of the box around the true positions of the frame's joints that count; never if that
/// box is a point.
PckCounts count_pck(const at::Tensor& truth, const at::Tensor& predicted, PckRule rule);

struct PckScores {
  /// [threshold][joint], in 0 .. 1; none if the joint was never scored
  std::array<std::array<std::optional<double>, data::kJointCount>, kPckThresholds.size()> joints;
  std::array<double, kPckThresholds.size()> mean{};  ///< over the joints that were scored
};

PckScores pck_scores(const PckCounts& counts);

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
