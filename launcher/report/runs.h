// What a report tells, read back from the folders of training runs and of evaluations.
#pragma once

#include <string>
#include <vector>

#include "launcher/report/chart.h"
#include "launcher/report/evaluations.h"

namespace stc::launcher {

struct TrainingRun {
  std::string path;
  std::vector<ChartLine> curves;  ///< losses first, then what else metrics.jsonl holds, over steps
  std::string config;             ///< config.toml; may be empty
  Facts summary;                  ///< summary.json; empty where the run has not finished
};

struct ReportedRuns {
  std::vector<TrainingRun> trainings;
  std::vector<ReportedEvaluation> evaluations;  ///< labels differ within a benchmark
  std::vector<std::string> notes;               ///< what is there, but cannot be shown
};

/// Each path is a run (metrics.jsonl), an evaluation (results.json), or a folder of such, searched
/// three levels deep. Throws stc::Error (kBadData) naming the file, and the line where there is
/// one.
ReportedRuns read_runs(const std::vector<std::string>& paths);

}  // namespace stc::launcher
