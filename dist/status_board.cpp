#include "dist/status_board.h"

#include <algorithm>
#include <cmath>

#include "monitoring/check.h"

namespace stc::dist {
namespace {

// Told within the limit even where the last word is a second old.
constexpr double kShareOfLimit = 0.75;

double seconds_between(StatusBoard::Time from, StatusBoard::Time to) {
  return std::chrono::duration<double>(to - from).count();
}

std::string rounded(double seconds) { return text("{} s", std::llround(seconds)); }

std::string describe(const StatusBoard::Missing& missing, std::int64_t collective) {
  if (!missing.latest) return text("rank {} (never heard of)", missing.rank);
  const RankStatus& last = *missing.latest;
  std::string line = text("rank {} (node {}, pid {}): ", last.rank, last.host, last.pid);
  if (missing.silent_seconds > 0) {
    line += text("silent for {}, was in ", rounded(missing.silent_seconds));
  } else {
    line += text("for {} in ", rounded(last.phase_seconds));
  }
  line += text("{} of step {}", last.phase, last.step);
  return line + (last.arrived < collective ? text(" after collective {}", last.arrived)
                                           : text(", inside collective {}", collective));
}

}  // namespace

StatusBoard::StatusBoard(int world, const Options& options, Time start)
    : world_(world), options_(options), start_(start) {}

void StatusBoard::receive(const RankStatus& status, Time now) {
  if (status.rank < world_) entries_[status.rank] = {status, now};
}

double StatusBoard::age(const Entry& entry, Time now) const {
  return seconds_between(entry.received, now);
}

bool StatusBoard::speaks(int rank, Time now) const {
  const auto found = entries_.find(rank);
  return found != entries_.end() && age(found->second, now) < options_.silent_seconds;
}

std::optional<RankStatus> StatusBoard::latest(int rank) const {
  const auto found = entries_.find(rank);
  if (found == entries_.end()) return std::nullopt;
  return found->second.status;
}

bool StatusBoard::is_complete(std::int64_t collective) const {
  return std::any_of(entries_.begin(), entries_.end(), [&](const auto& entry) {
    return entry.second.status.completed >= collective;
  });
}

std::optional<StatusBoard::Stall> StatusBoard::stall(Time now) const {
  Stall stall;
  for (const auto& [rank, entry] : entries_) {
    if (entry.status.verb.empty() || !speaks(rank, now)) continue;
    const double pending = entry.status.pending_seconds + age(entry, now);
    const std::int64_t collective = entry.status.completed + 1;
    if (pending < kShareOfLimit * options_.stall_seconds) continue;
    if (stall.collective != 0 && collective >= stall.collective) continue;
    stall.collective = collective;
    stall.waiting = entry.status;
    stall.seconds = pending;
  }
  if (stall.collective == 0) return std::nullopt;
  for (int rank = 0; rank < world_; ++rank) {
    const auto found = entries_.find(rank);
    if (found == entries_.end()) {
      stall.missing.push_back({rank, seconds_between(start_, now), std::nullopt});
      continue;
    }
    const bool silent = !speaks(rank, now);
    if (!silent && found->second.status.arrived >= stall.collective) continue;
    stall.missing.push_back({rank, silent ? age(found->second, now) : 0, found->second.status});
  }
  return stall;
}

std::string StatusBoard::Stall::description(int world) const {
  constexpr std::size_t kNamed = 8;
  std::string line = text("step {} stands still in collective {} ({}, {} bytes a rank) for {}: ",
                          waiting.step,
                          collective,
                          waiting.verb,
                          waiting.bytes,
                          rounded(seconds));
  if (missing.empty()) {
    return line + text(
                      "all {} ranks arrived and speak, but no data moves; look at the network "
                      "between the nodes",
                      world);
  }
  line += text("{} of {} ranks arrived, missing ", world - missing.size(), world);
  for (std::size_t i = 0; i < std::min(kNamed, missing.size()); ++i) {
    line += (i == 0 ? "" : "; ") + describe(missing[i], collective);
  }
  if (missing.size() > kNamed) line += text("; and {} more", missing.size() - kNamed);
  return line;
}

}  // namespace stc::dist
