// The benchmarks by name: how each is opened, scored and described.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "eval/jobs/benchmark.h"
#include "eval/scores/davis_sequence.h"
#include "eval/scores/score_tables.h"
#include "launcher/evaluation/propagation_settings.h"

namespace stc::launcher {

inline constexpr char kKeepGoingHelp[] =
    "Leave out clips with bad data, name them, and end with exit code 3";

struct BenchmarkSource {
  std::string name;   ///< "davis", "jhmdb" or "vip"
  std::string data;   ///< root of the data set
  std::string split;  ///< file that lists its clips; empty: the benchmark's own
  bool overlays = false;
  /// A clip with bad data or missing files is left out, and the others are evaluated; else its
  /// error ends the job.
  bool keep_going = false;
};

struct ScoreArguments {
  std::string truth;
  std::string prediction;
  std::string split;
  std::string csv;
  std::string details;  ///< file of the finer table
  std::string json;
  bool keep_going = false;
  eval::ScoreOptions davis;  ///< for DAVIS alone
};

struct BenchmarkScores {
  std::optional<eval::ScoreTables> tables;  ///< none if no clip could be scored
  std::vector<std::string> failures;        ///< what is wrong with the clips that were left out
  std::vector<std::string> notes = {};      ///< for the user
};

struct BenchmarkEntry {
  const char* name;
  const char* eval_help;
  const char* score_help;
  const char* example_root;  ///< of the data set
  const char* data_help;
  const char* split_help;
  const char* truth_help;
  const char* prediction_help;
  const char* csv_help;
  const char* details_flag;
  const char* details_help;
  PropagationDefaults defaults;
  eval::Benchmark (*open)(const BenchmarkSource& source, eval::BenchmarkSetup setup);
  /// Scores predictions that are in files.
  BenchmarkScores (*score)(const ScoreArguments& arguments);
};

std::span<const BenchmarkEntry> benchmarks();

/// Throws stc::Error (kUsage) if there is none of that name.
const BenchmarkEntry& find_benchmark(const std::string& name);

}  // namespace stc::launcher
