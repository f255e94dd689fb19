// J and F of DAVIS-2017, semi-supervised rules (docs/evaluation.md), for a folder of predictions.
#pragma once

#include <string>
#include <vector>

#include "data/benchmarks/davis.h"

namespace stc::eval {

struct Statistics {
  double mean = 0, recall = 0, decay = 0;
};

/// Of the values of one object over its scored frames, in time order (at least one). recall is the
/// share above 0.5; decay is the mean of the first quarter less the mean of the last, where
/// neighbouring quarters share a frame.
Statistics statistics_of(const std::vector<double>& values);

enum class ScoreRule {
  kOfficial,  ///< objects are 1..K, K the highest label of the first true mask; 255 is background
  kAnyId,     ///< every label of a scored true mask is an object, from the first scored frame on in
              ///< which truth or prediction shows it (vos-benchmark's rule)
};

struct ScoreOptions {
  int threads = 0;  ///< sequences scored at once; 0: one a core
  ScoreRule rule = ScoreRule::kOfficial;
  bool drop_unknown = false;  ///< predicted labels above K count as background; else an error
  bool keep_going = false;    ///< a sequence with bad data is left out and named in `failures`
};

struct ObjectScore {
  std::string sequence;
  int object = 0;  ///< its label
  std::vector<std::string>
      frames;                ///< stems of the scored frames: the first and the last are left out
  std::vector<double> j, f;  ///< one per scored frame
  Statistics j_statistics, f_statistics;
};

/// Plain means over the objects of one sequence.
struct SequenceScore {
  std::string sequence;
  int objects = 0;
  int frames = 0;  ///< scored ones
  double j_mean = 0, f_mean = 0;
  double jf_mean() const { return (j_mean + f_mean) / 2; }
};

struct DavisScores {
  std::vector<ObjectScore> objects;  ///< in the order of sequences, then objects
  Statistics j, f;                   ///< plain means over objects
  double jf_mean() const { return (j.mean + f.mean) / 2; }
  std::vector<std::string> notes;     ///< e.g. a sequence whose 255 was read as object 1
  std::vector<std::string> failures;  ///< one line for each sequence that was left out
};

/// What is scored of one sequence.
struct SequenceResult {
  std::vector<ObjectScore> objects;
  std::vector<std::string> notes;  ///< e.g. that 255 was read as object 1
};

/// Throws stc::Error (kBadData) where a sequence has too few annotated frames to be scored.
void check_scorable(const data::DavisSequence& truth);
/// Throws stc::Error (kBadData) naming the first one of `folder`/SEQ/*.png that is absent.
void check_predictions_exist(const data::DavisSequence& truth, const std::string& folder);

/// `folder` holds SEQ/*.png. Throws stc::Error (kBadData) naming file, label and expected size.
SequenceResult score_sequence(const data::DavisSequence& truth,
                              const std::string& folder,
                              const ScoreOptions& options = {});

/// The means over `objects`. Throws stc::Error (kBadData) where there is none.
DavisScores scores_of(std::vector<ObjectScore> objects);

/// prediction: a folder of SEQ/*.png or a DAVIS root. Throws stc::Error (kBadData) naming file,
/// label and expected size.
DavisScores score_davis(const std::vector<data::DavisSequence>& truth,
                        const std::string& prediction,
                        const ScoreOptions& options);

std::vector<SequenceScore> sequence_scores(const DavisScores& scores);

/// global_results.csv and per-sequence_results.csv in the official three-decimal form.
void write_official_csv(const std::string& folder, const DavisScores& scores);
/// sequence,object,J_mean,J_recall,J_decay,F_mean,F_recall,F_decay; 17 significant digits.
void write_results_csv(const std::string& path, const DavisScores& scores);
/// sequence,object,frame,J,F; 17 significant digits.
void write_frames_csv(const std::string& path, const DavisScores& scores);
/// A JSON object: jf_mean, j and f {mean, recall, decay}, sequences [{name, objects, frames,
/// j_mean, f_mean, jf_mean}].
std::string scores_json(const DavisScores& scores);
/// A table for the terminal: one line a sequence, and the mean.
std::string score_table(const DavisScores& scores);

}  // namespace stc::eval
