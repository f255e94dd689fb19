// J and F of one sequence, semi-supervised rules of DAVIS-2017 (docs/evaluation.md).
#pragma once

#include <string>
#include <vector>

#include "data/benchmarks/davis.h"

namespace stc::eval {

struct Statistics {
  double mean = 0, recall = 0, decay = 0;
};

/// `values` are those of one object over its scored frames, in time order (at least one). recall is
/// the share above 0.5; decay is the mean of the first quarter minus the mean of the last, where
/// neighbouring quarters share a frame.
Statistics statistics_of(const std::vector<double>& values);

enum class ScoreRule {
  kOfficial,  ///< objects are 1..K, K the highest label of the first true mask; 255 is background
  kAnyId,     ///< every label of a scored true mask is an object, from the first scored frame in
              ///< which truth or prediction shows it (vos-benchmark's rule)
};

struct ScoreOptions {
  int threads = 0;  ///< sequences scored at once; 0: one per core
  ScoreRule rule = ScoreRule::kOfficial;
  bool drop_unknown = false;  ///< predicted labels above K count as background; else an error
  bool keep_going = false;    ///< a sequence with bad data is left out and named in `failures`
};

struct ObjectScore {
  std::string sequence;
  int object = 0;                   ///< its label
  std::vector<std::string> frames;  ///< stems of the scored ones: the first and last are left out
  std::vector<double> j, f;         ///< one per scored frame
  Statistics j_statistics{}, f_statistics{};  ///< by scores_of()
};

struct SequenceResult {
  std::vector<ObjectScore> objects;
  std::vector<std::string> notes;  ///< e.g. that 255 was read as object 1
};

/// Throws stc::Error (kBadData) if a sequence has too few annotated frames to be scored.
void check_scorable(const data::DavisSequence& truth);
/// Throws stc::Error (kBadData) naming the first one of `folder`/SEQ/*.png that is absent.
void check_predictions_exist(const data::DavisSequence& truth, const std::string& folder);

/// `folder` holds SEQ/*.png. Throws stc::Error (kBadData) naming file, label and expected size.
SequenceResult score_sequence(const data::DavisSequence& truth,
                              const std::string& folder,
                              const ScoreOptions& options = {});

}  // namespace stc::eval
