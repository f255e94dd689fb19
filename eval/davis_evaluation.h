// DAVIS: propagates the first frame's masks through each sequence, writes the masks, scores them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/davis.h"
#include "eval/davis_scores.h"
#include "eval/video_propagation.h"
#include "models/resnet.h"

namespace stc::eval {

struct DavisEvaluationOptions {
  VideoOptions video;
  bool overlays = false;  ///< also OUT/overlays/SEQ/FRAME.jpg
  int threads = 0;        ///< sequences scored at once; 0: one a core
  /// Called after each frame of `sequence`, 1-based.
  std::function<void(const std::string& sequence, std::int64_t frame, std::int64_t frames)>
      on_frame;
};

struct SequenceRun {
  StageSeconds seconds;
  double files_seconds = 0;        ///< reading frames, writing masks
  std::vector<std::string> notes;  ///< objects lost in shrinking, 255 in the mask
};

/// Writes OUT/SEQ/FRAME.png for each frame, the first included, of the frame's own size. Frames are
/// read one at a time.
SequenceRun propagate_sequence(const models::ResNet& trunk,
                               const data::DavisSequence& sequence,
                               const std::string& out,
                               const DavisEvaluationOptions& options);

struct DavisEvaluation {
  DavisScores scores;
  StageSeconds seconds;
  double files_seconds = 0;
  double scoring_seconds = 0;
  std::int64_t frames = 0;
  std::vector<std::string> notes;
};

/// All sequences; then OUT/global_results.csv, per-sequence_results.csv, results.csv and
/// per-frame.csv.
DavisEvaluation evaluate_davis(const models::ResNet& trunk,
                               const std::vector<data::DavisSequence>& sequences,
                               const std::string& out,
                               const DavisEvaluationOptions& options);

}  // namespace stc::eval
