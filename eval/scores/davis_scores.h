// J and F of DAVIS-2017 over all sequences, for a folder of predictions.
#pragma once

#include <string>
#include <vector>

#include "data/benchmarks/davis.h"
#include "eval/scores/davis_sequence.h"
#include "eval/scores/score_tables.h"

namespace stc::eval {

struct DavisScores {
  std::vector<ObjectScore> objects;  ///< in the order of sequences, then objects
  Statistics j, f;                   ///< plain means over objects
  double jf_mean() const { return (j.mean + f.mean) / 2; }
  std::vector<std::string> notes;     ///< e.g. a sequence whose 255 was read as object 1
  std::vector<std::string> failures;  ///< one line for each sequence that was left out
};

/// The means over `objects`. Throws stc::Error (kBadData) if there is none.
DavisScores scores_of(std::vector<ObjectScore> objects);

/// prediction: a folder of SEQ/*.png or a DAVIS root. Throws stc::Error (kBadData) naming file,
/// label and expected size.
DavisScores score_davis(const std::vector<data::DavisSequence>& truth,
                        const std::string& prediction,
                        const ScoreOptions& options);

/// results.csv: sequence,object,J_mean,J_recall,J_decay,F_mean,F_recall,F_decay. per-frame.csv:
/// sequence,object,frame,J,F. Official, with three decimals: global_results.csv and
/// per-sequence_results.csv. The numbers: jf_mean, j and f {mean, recall, decay}, sequences [{name,
/// objects, frames, j_mean, f_mean, jf_mean}]; without objects jf_mean, j and f are null.
ScoreTables davis_tables(const DavisScores& scores);

}  // namespace stc::eval
