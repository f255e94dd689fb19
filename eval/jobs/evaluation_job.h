// Evaluates a benchmark clip by clip, on any number of ranks and over any number of starts: a clip
// that is done has a record in the folder of results; one without a record is still to do.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "eval/jobs/benchmark.h"

namespace stc::eval {

struct JobOptions {
  /// 0, 1, 2, ...: each number once over all ranks. Clips are taken in this order, the longest
  /// first.
  std::function<std::int64_t()> next_ticket;
  OnFrame on_frame;
  /// A clip with bad data is left out, and the others are evaluated; else its error ends the job.
  bool keep_going = false;
};

/// This rank's part of the work: takes clips until none is left, and skips those that have their
/// records. Returns how many were skipped.
std::int64_t evaluate_clips(const Benchmark& benchmark, const JobOptions& options);

struct JobResult {
  std::vector<Json> records;        ///< one per clip, in order; null if there is none
  std::vector<std::string> failed;  ///< what is wrong with the clips that have none
};

/// After all ranks are done: what they left below `out`.
JobResult collect_records(const std::vector<Clip>& clips, const std::string& out);

/// After this all clips are evaluated again.
void forget_records(const std::string& out);

}  // namespace stc::eval
