// Evaluations of every benchmark in one form, read from results.json, so that one page shows them
// all.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "launcher/report/chart.h"

namespace stc::launcher {

using Facts = std::vector<std::pair<std::string, std::string>>;  ///< name and value, in order

/// A number of results.json that the summary table shows.
struct MeasureForm {
  std::string name;     ///< "J mean"
  std::string pointer;  ///< JSON pointer: "/j/mean"
  bool lower_is_better = false;
};

/// How results.json of one benchmark is laid out, and what the page calls its parts.
struct BenchmarkForm {
  std::string name;                   ///< "davis", as in results.json
  std::string title;                  ///< "DAVIS"
  std::vector<MeasureForm> measures;  ///< the first one is also given by clip
  std::string clip;                   ///< what a clip is called; the list's key is its plural
  std::string clip_score;
  std::string part;  ///< "joint": what a clip shows; "": there is no such list
  std::string part_score;
  std::string part_score_name;
  std::string explanation;  ///< of the summary table
};

/// In the order of the page's sections.
const std::vector<BenchmarkForm>& benchmark_forms();

/// A clip, or a part of what clips show.
struct ScoredItem {
  std::string name;
  int objects = 0;  ///< 0: not counted
  int frames = 0;   ///< 0: not counted
  double score = 0;
};

/// Numbers that are absent are NaN.
struct ReportedEvaluation {
  std::string path;
  std::string benchmark;
  std::string label;
  std::string data;              ///< root of the data set
  std::vector<double> measures;  ///< as in the form
  std::vector<ScoredItem> clips;
  std::vector<ScoredItem> parts;
  Facts facts;                     ///< weights, settings, version, timings: "settings.top_k"
  std::vector<std::string> notes;  ///< what is missing, left out or remarked
  std::map<std::string, ChartLine> frames;  ///< J&F of each scored frame by sequence; may be empty

  double score() const { return measures.front(); }
};

using Evaluations = std::vector<ReportedEvaluation>;

/// Reads FOLDER/results.json, and per-frame.csv if there is one. Throws stc::Error (kBadData)
/// naming the file if it is damaged or of no known benchmark.
ReportedEvaluation read_evaluation(const std::string& folder);

/// Throws stc::Error (kBadData) if the file holds no JSON object.
nlohmann::ordered_json read_json_object(const std::string& path);

/// Nested objects give "outer.inner".
Facts facts_of(const nlohmann::ordered_json& json, const std::string& prefix = "");

/// Best first; clips without a score are left out.
std::vector<ScoredItem> ranked_clips(const ReportedEvaluation& evaluation);

Evaluations evaluations_of(const BenchmarkForm& form, const Evaluations& all);

}  // namespace stc::launcher
