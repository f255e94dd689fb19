#include "dist/status_board.h"

#include <algorithm>
#include <cmath>

#include "monitoring/check.h"

namespace stc::dist {
namespace {

// So that a stall is reported within the limit even if the latest status is a second old.
constexpr double kShareOfLimit = 0.75;

std::string rounded(double seconds) { return text("{} s", std::llround(seconds)); }

std::string describe(const StatusBoard::Missing& missing, std::int64_t collective) {
  if (!missing.latest) return text("rank {} (never heard from)", missing.rank);
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

StatusBoard::StatusBoard(int world, const Options& options, SteadyTime start)
    : world_(world), options_(options), start_(start) {}

void StatusBoard::receive(const RankStatus& status, SteadyTime now) {
  if (status.rank < world_) entries_[status.rank] = {status, now};
}

bool StatusBoard::is_heard(int rank, SteadyTime now) const {
  const auto found = entries_.find(rank);
  return found != entries_.end() &&
         seconds_between(found->second.received, now) < options_.silent_seconds;
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

std::optional<StatusBoard::Stall> StatusBoard::stall(SteadyTime now) const {
  Stall stall;
  for (const auto& [rank, entry] : entries_) {
    if (entry.status.verb.empty() || !is_heard(rank, now)) continue;
    const double pending = entry.status.pending_seconds + seconds_between(entry.received, now);
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
    const bool silent = !is_heard(rank, now);
    if (!silent && found->second.status.arrived >= stall.collective) continue;
    const auto& [status, received] = found->second;
    stall.missing.push_back({rank, silent ? seconds_between(received, now) : 0, status});
  }
  return stall;
}

std::string StatusBoard::Stall::description(int world) const {
  constexpr std::size_t kNamed = 8;
  std::string line =
      text("step {} is stalled in collective {} ({}, {} bytes per rank), waiting for {}: ",
           waiting.step,
           collective,
           waiting.verb,
           waiting.bytes,
           rounded(seconds));
  if (missing.empty()) {
    return line + text(
                      "all {} ranks arrived and respond, but no data moves; check the network "
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
