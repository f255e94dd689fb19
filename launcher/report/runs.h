// What a report shows, read from the folders of training runs and of evaluations.
#pragma once

#include <string>
#include <vector>

#include "launcher/report/chart.h"
#include "launcher/report/evaluations.h"

namespace stc::launcher {

struct TrainingRun {
  std::string path;
  std::vector<ChartLine> curves;  ///< over steps: losses first, then the rest of metrics.jsonl
  std::string config;             ///< config.toml; may be empty
  Facts summary;                  ///< summary.json; empty if the run has not finished
};

struct ReportedRuns {
  std::vector<TrainingRun> trainings;
  Evaluations evaluations;         ///< labels differ within a benchmark
  std::vector<std::string> notes;  ///< what was found but cannot be shown
};

/// Each path is a run (metrics.jsonl), an evaluation (results.json), or a folder of such, searched
/// three levels deep. Throws stc::Error (kBadData) naming the file and, if known, the line.
ReportedRuns read_runs(const std::vector<std::string>& paths);

}  // namespace stc::launcher
