#include "dist/status_board.h"

#include <algorithm>
#include <cmath>
#include <random>
#include <sstream>

#include "dist/heartbeat.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

constexpr char kFormat[] = "stc-status-1";
constexpr char kNone[] = "-";
constexpr int kMostListeners = 16;

// A field of the datagram: never empty, and without spaces.
std::string field(std::string value) {
  if (value.empty()) return kNone;
  std::replace(value.begin(), value.end(), ' ', '_');
  return value;
}

std::string value_of(std::string field) {
  if (field == kNone) return "";
  std::replace(field.begin(), field.end(), '_', ' ');
  return field;
}

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

SteadyTime::duration to_duration(double seconds) {
  return std::chrono::duration_cast<SteadyTime::duration>(std::chrono::duration<double>(seconds));
}

std::vector<int> ranks_of(const std::vector<StatusBoard::Missing>& missing) {
  std::vector<int> ranks;
  for (const auto& one : missing) ranks.push_back(one.rank);
  return ranks;
}

}  // namespace

std::string random_token() {
  std::random_device random;
  std::ostringstream out;
  out << std::hex << random() << random();
  return out.str();
}

std::string encode(const RankStatus& status, const std::string& token) {
  std::ostringstream out;
  out << kFormat << ' ' << token << ' ' << status.rank << ' ' << status.world << ' ' << status.pid
      << ' ' << (status.host.empty() ? kNone : status.host) << ' ' << status.step << ' '
      << field(status.phase) << ' ' << status.phase_seconds << ' ' << status.arrived << ' '
      << status.completed << ' ' << field(status.verb) << ' ' << status.bytes << ' '
      << status.pending_seconds << ' ' << status.stall_seconds << ' ' << status.timeout_seconds
      << ' ' << status.ended;
  return out.str();
}

std::optional<RankStatus> decode(const std::string& datagram, const std::string& token) {
  std::istringstream in(datagram);
  std::string format, run;
  RankStatus status;
  in >> format >> run >> status.rank >> status.world >> status.pid >> status.host >> status.step >>
      status.phase >> status.phase_seconds >> status.arrived >> status.completed >> status.verb >>
      status.bytes >> status.pending_seconds >> status.stall_seconds >> status.timeout_seconds >>
      status.ended;
  if (!in || format != kFormat || run != token) return std::nullopt;
  if (status.rank < 0 || status.rank >= status.world) return std::nullopt;
  status.phase = value_of(status.phase);
  // Verbs are names such as all_reduce.
  if (status.verb == kNone) status.verb.clear();
  return status;
}

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

bool StatusBoard::is_waiting(int rank, SteadyTime now) const {
  return is_heard(rank, now) && !entries_.at(rank).status.verb.empty();
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

bool listens(int rank, int world) {
  const int stride = (world + kMostListeners - 1) / kMostListeners;
  return rank % stride == 0;
}

// A rank that has only just arrived may still hold what the others said before. Once it has waited
// as long as words count, all that its board counts came after its own arrival.
bool reports_for_all(const StatusBoard& board, int rank, double pending_seconds, SteadyTime now) {
  if (!board.stall(now)) return true;  // the rank that reported a stall reports its end
  for (int other = 0; other < rank; ++other) {
    if (listens(other, board.world()) && board.is_waiting(other, now)) return false;
  }
  return pending_seconds >= board.options().silent_seconds;
}

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
