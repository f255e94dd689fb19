#include "dist/stall_reporter.h"

#include <algorithm>
#include <cmath>

#include "dist/heartbeat.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

StatusBoard::Time::duration to_duration(double seconds) {
  return std::chrono::duration_cast<StatusBoard::Time::duration>(
      std::chrono::duration<double>(seconds));
}

std::vector<int> ranks_of(const std::vector<StatusBoard::Missing>& missing) {
  std::vector<int> ranks;
  for (const auto& one : missing) ranks.push_back(one.rank);
  return ranks;
}

}  // namespace

StallReporter::StallReporter(int world, double stall_seconds, Time start)
    : board_(world, {stall_seconds, silent_seconds(stall_seconds)}, start) {}

std::vector<std::string> StallReporter::lines(Time now) {
  std::vector<std::string> lines;
  const auto stall = board_.stall(now);
  // That ranks fall silent, or that one alone completes what the others gave up, is no end of a
  // stall.
  if (open_ && board_.is_complete(collective_) && (!stall || stall->collective > collective_)) {
    const auto seconds = std::chrono::duration<double>(now - began_).count();
    lines.push_back(text("collective {} went on after {} s", collective_, std::llround(seconds)));
    open_ = false;
  }
  if (stall && is_news(*stall)) {
    if (!open_) began_ = now - to_duration(stall->seconds);
    open_ = true;
    collective_ = stall->collective;
    told_missing_ = ranks_of(stall->missing);
    lines.push_back(stall->description(board_.world()));
  }
  return lines;
}

// Ranks that come back one after the other are no news; one more that is missing is.
bool StallReporter::is_news(const StatusBoard::Stall& stall) const {
  if (!open_) return stall.collective > collective_;
  const auto missing = ranks_of(stall.missing);
  return !std::includes(told_missing_.begin(), told_missing_.end(), missing.begin(), missing.end());
}

}  // namespace stc::dist
