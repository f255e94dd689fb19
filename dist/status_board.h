// What ranks report of themselves, and what follows from it: is the run stalled, in which
// collective, and which ranks does it wait for. Pure: time comes in as an argument.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "monitoring/stopwatch.h"

namespace stc::dist {

/// What a rank sends about once per second: enough to tell who hangs, where, and what it was doing.
struct RankStatus {
  int rank = 0, world = 1;
  std::int64_t pid = 0;
  std::string host;

  std::int64_t step = 0;     ///< the current one, from 1; 0 before the first
  std::string phase;         ///< "forward", ...
  double phase_seconds = 0;  ///< since it was entered

  /// Number of the last collective called, from 1, the same on all ranks.
  std::int64_t arrived = 0;
  std::int64_t completed = 0;  ///< all up to this number are complete
  std::string verb;            ///< of collective completed + 1, once it is called; else empty
  std::int64_t bytes = 0;      ///< handed into it by this rank
  double pending_seconds = 0;  ///< since it was called

  double stall_seconds = 0, timeout_seconds = 0;  ///< dist.* of the run

  bool ended = false;  ///< the last status of a rank that ends in order
};

std::string random_token();  ///< tells a run from every other

/// One datagram of text. `token` tells runs apart; it holds no space.
std::string encode(const RankStatus& status, const std::string& token);

/// Empty if the datagram is not one of this run's.
std::optional<RankStatus> decode(const std::string& datagram, const std::string& token);

/// The latest status of every rank.
class StatusBoard {
 public:
  struct Options {
    /// A stall is reported before a collective has been pending for longer.
    double stall_seconds = 60;
    /// A rank without a message for this long is missing, wherever it is.
    double silent_seconds = 4;
  };
  StatusBoard(int world, const Options& options, SteadyTime start);

  void receive(const RankStatus& status, SteadyTime now);

  struct Missing {
    int rank = 0;
    double silent_seconds = 0;         ///< 0 if it is heard
    std::optional<RankStatus> latest;  ///< empty if it was never heard
  };
  struct Stall {
    std::int64_t collective = 0;
    RankStatus waiting;            ///< of the lowest rank that waits in it
    std::vector<Missing> missing;  ///< in rank order; empty: all arrived, but no data moves
    double seconds = 0;            ///< since the first arrived

    std::string description(int world) const;  ///< one line
  };
  /// The first collective that ranks have waited in for most of stall_seconds.
  std::optional<Stall> stall(SteadyTime now) const;

  bool is_complete(std::int64_t collective) const;  ///< on some rank, as far as known
  std::optional<RankStatus> latest(int rank) const;
  bool is_heard(int rank, SteadyTime now) const;
  bool is_waiting(int rank, SteadyTime now) const;  ///< heard, and in a collective
  int world() const { return world_; }
  const Options& options() const { return options_; }

 private:
  struct Entry {
    RankStatus status;
    SteadyTime received;
  };

  int world_;
  Options options_;
  SteadyTime start_;
  std::map<int, Entry> entries_;
};

/// The up to 16 ranks, spread over the world, that keep a board.
bool listens(int rank, int world);

/// Does the listener `rank`, itself in a collective for `pending_seconds` (0: in none), report a
/// stall for all? One rank does: the lowest listener that waits.
bool reports_for_all(const StatusBoard& board, int rank, double pending_seconds, SteadyTime now);

/// The log lines that follow from the board: a stall once for each set of missing ranks, and its
/// end.
class StallReporter {
 public:
  StallReporter(int world, double stall_seconds, SteadyTime start);

  void receive(const RankStatus& status, SteadyTime now) { board_.receive(status, now); }
  const StatusBoard& board() const { return board_; }

  std::vector<std::string> lines(SteadyTime now);

 private:
  bool is_news(const StatusBoard::Stall& stall) const;

  StatusBoard board_;
  bool stalled_ = false;         // a stall was reported, and is not over
  std::int64_t collective_ = 0;  // reported last
  std::vector<int> missing_;     // as reported
  SteadyTime began_;
};

}  // namespace stc::dist
