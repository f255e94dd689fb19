#include "dist/stall_reporter.h"

#include <algorithm>
#include <cmath>

#include "dist/heartbeat.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

SteadyTime::duration to_duration(double seconds) {
  return std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(seconds));
}

std::vector<int> ranks_of(const std::vector<StatusBoard::Missing>& missing) {
  std::vector<int> ranks;
  for (const auto& one : missing) ranks.push_back(one.rank);
  return ranks;
}

}  // namespace

StallReporter::StallReporter(int world, double stall_seconds, SteadyTime start)
    : board_(world, {stall_seconds, silent_seconds(stall_seconds)}, start) {}

std::vector<std::string> StallReporter::lines(SteadyTime now) {
  std::vector<std::string> lines;
  const auto stall = board_.stall(now);
  // Ranks that fall silent, or one that alone completes what the others gave up, do not end a
  // stall.
  if (stalled_ && board_.is_complete(collective_) && (!stall || stall->collective > collective_)) {
    lines.push_back(text("collective {} completed after {} s",
                         collective_,
                         std::llround(seconds_between(began_, now))));
    stalled_ = false;
  }
  if (stall && is_news(*stall)) {
    if (!stalled_) began_ = now - to_duration(stall->seconds);
    stalled_ = true;
    collective_ = stall->collective;
    missing_ = ranks_of(stall->missing);
    lines.push_back(stall->description(board_.world()));
  }
  return lines;
}

// Ranks that come back one after the other are not news; one more missing rank is.
bool StallReporter::is_news(const StatusBoard::Stall& stall) const {
  if (!stalled_) return stall.collective > collective_;
  const auto missing = ranks_of(stall.missing);
  return !std::includes(missing_.begin(), missing_.end(), missing.begin(), missing.end());
}

}  // namespace stc::dist
