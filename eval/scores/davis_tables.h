// The tables of DAVIS, in full precision and in the official form.
#pragma once

#include "eval/scores/davis_scores.h"
#include "eval/scores/score_tables.h"

namespace stc::eval {

/// results.csv: sequence,object,J_mean,J_recall,J_decay,F_mean,F_recall,F_decay. per-frame.csv:
/// sequence,object,frame,J,F. Official, with three decimals: global_results.csv and
/// per-sequence_results.csv. The numbers: jf_mean, j and f {mean, recall, decay}, sequences [{name,
/// objects, frames, j_mean, f_mean, jf_mean}].
ScoreTables davis_tables(const DavisScores& scores);

}  // namespace stc::eval
