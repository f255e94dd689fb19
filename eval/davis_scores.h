// J and F of DAVIS-2017, semi-supervised rules (eval-spec 2), for a folder of predictions.
#pragma once

#include <string>
#include <vector>

#include "data/davis.h"

namespace stc::eval {

struct Statistics {
  double mean = 0, recall = 0, decay = 0;
};

struct ObjectScore {
  std::string sequence;
  int object = 0;                   ///< 1..K
  std::vector<std::string> frames;  ///< stems of the scored frames: the first and the last are left out
  std::vector<double> j, f;         ///< one per scored frame
  Statistics j_statistics, f_statistics;
};

struct DavisScores {
  std::vector<ObjectScore> objects;                ///< in the order of sequences, then objects
  Statistics j, f;                                 ///< plain means over objects
  double jf_mean() const { return (j.mean + f.mean) / 2; }
  std::vector<std::string> notes;                  ///< e.g. a sequence whose 255 was read as object 1
};

/// prediction: a folder of SEQ/*.png or a DAVIS root. `threads` sequences are scored at once; 0: one per core.
/// Throws stc::Error (kBadData) naming file, label and expected size (eval-spec 2.1).
DavisScores score_davis(const std::vector<data::DavisSequence>& truth, const std::string& prediction, int threads);

/// global_results.csv and per-sequence_results.csv in the official three-decimal form.
void write_official_csv(const std::string& folder, const DavisScores& scores);
/// sequence,object,J_mean,J_recall,J_decay,F_mean,F_recall,F_decay; 17 significant digits.
void write_results_csv(const std::string& path, const DavisScores& scores);
/// sequence,object,frame,J,F; 17 significant digits.
void write_frames_csv(const std::string& path, const DavisScores& scores);
/// A table for the terminal: one line a sequence, and the mean.
std::string score_table(const DavisScores& scores);

}  // namespace stc::eval
