// Evaluations of every benchmark in one form, read back from results.json, so that one page shows
// them all.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "launcher/report/chart.h"

namespace stc::launcher {

using Facts = std::vector<std::pair<std::string, std::string>>;  ///< name and value, in order

/// A number of results.json that stands in the summary table.
struct MeasureForm {
  std::string name;     ///< "J mean"
  std::string pointer;  ///< JSON pointer: "/j/mean"
  bool lower_is_better = false;
};

/// How results.json of one benchmark is laid out, and what the page calls its parts.
struct BenchmarkForm {
  std::string name;                   ///< "davis", as in results.json
  std::string title;                  ///< "DAVIS"
  std::vector<MeasureForm> measures;  ///< the first ranks evaluations, and is given by clip too
  std::string clip;                   ///< what a clip is called; the list's key has an "s" more
  std::string clip_score;
  std::string part;  ///< "joint": what a clip consists of; "": no list of such
  std::string part_score;
  std::string part_score_name;
  std::string explanation;  ///< of the summary table
};

/// In the order of the page's sections.
const std::vector<BenchmarkForm>& benchmark_forms();

struct ReportedClip {
  std::string name;
  int objects = 0;  ///< 0: the benchmark does not count them
  int frames = 0;
  double score = 0;
};

/// Numbers that are absent are NaN.
struct ReportedEvaluation {
  std::string path;
  std::string benchmark;
  std::string label;
  std::string data;              ///< root of the data set
  std::vector<double> measures;  ///< as in the form
  std::vector<ReportedClip> clips;
  std::vector<std::pair<std::string, double>> parts;
  Facts facts;                     ///< weights, settings, version, timings: "settings.top_k"
  std::vector<std::string> notes;  ///< what is absent, what was left out, what was said
  std::map<std::string, ChartLine> frames;  ///< J&F of each scored frame by sequence; may be empty

  double score() const { return measures.front(); }
};

/// Reads FOLDER/results.json, and per-frame.csv where there is one. Throws stc::Error (kBadData)
/// naming the file where it is damaged, or of no benchmark.
ReportedEvaluation read_evaluation(const std::string& folder);

/// Best first; clips without a score are left out.
std::vector<ReportedClip> ranked_clips(const ReportedEvaluation& evaluation);

/// Adds to labels that are equal within a benchmark the settings that differ, else the path.
void distinguish_labels(std::vector<ReportedEvaluation>* evaluations);

}  // namespace stc::launcher
