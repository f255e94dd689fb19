// What a report tells, read back from the folders of training runs and of evaluations.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "eval/davis_scores.h"
#include "launcher/report_chart.h"

namespace stc::launcher {

using Facts = std::vector<std::pair<std::string, std::string>>;  ///< name and value, in order

struct TrainingRun {
  std::string path;
  std::vector<ChartLine> curves;  ///< losses first, then what else metrics.jsonl holds, over steps
  std::string config;             ///< config.toml; may be empty
  Facts summary;                  ///< summary.json; empty where the run has not finished
};

struct ReportedEvaluation {
  std::string path;
  std::string label;
  std::string data;  ///< root of the frames
  double jf_mean = 0;
  eval::Statistics j, f;
  std::vector<eval::SequenceScore> sequences;
  Facts facts;  ///< weights, settings, version, timings: "settings.top_k"
  std::map<std::string, ChartLine>
      frames;  ///< J&F of each scored frame by sequence; empty without per-frame.csv
};

struct ReportedRuns {
  std::vector<TrainingRun> trainings;
  std::vector<ReportedEvaluation> evaluations;
};

/// Each path is a run (metrics.jsonl), an evaluation (results.json), or a folder of such, searched
/// three levels deep. Throws stc::Error (kBadData) naming the file, and the line where there is
/// one.
ReportedRuns read_runs(const std::vector<std::string>& paths);

}  // namespace stc::launcher
