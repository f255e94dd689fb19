#include "dist/stall_reporter.h"

#include <cmath>

#include "dist/heartbeat.h"
#include "monitoring/check.h"

namespace stc::dist {

StallReporter::StallReporter(int world, double stall_seconds, Time start)
    : board_(world, {stall_seconds, silent_seconds(stall_seconds)}, start) {}

std::vector<std::string> StallReporter::lines(Time now) {
  std::vector<std::string> lines;
  const auto stall = board_.stall(now);
  if (collective_ != 0 && (!stall || stall->collective != collective_)) {
    const auto seconds = std::chrono::duration<double>(now - began_).count();
    lines.push_back(
        text("collective ", collective_, " went on after ", std::llround(seconds), " s"));
    collective_ = 0;
  }
  if (!stall) return lines;
  std::vector<int> missing;
  for (const auto& one : stall->missing) missing.push_back(one.rank);
  if (collective_ == stall->collective && missing == told_missing_) return lines;
  if (collective_ == 0) {
    began_ = now - std::chrono::duration_cast<Time::duration>(
                       std::chrono::duration<double>(stall->seconds));
  }
  collective_ = stall->collective;
  told_missing_ = missing;
  lines.push_back(stall->description(board_.world()));
  return lines;
}

}  // namespace stc::dist
