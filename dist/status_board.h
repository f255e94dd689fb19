// The latest status of every rank, and what follows from them: is the run stalled, in which
// collective, and which ranks does it wait for. Pure: time comes in as an argument.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dist/rank_status.h"
#include "monitoring/stopwatch.h"

namespace stc::dist {

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
  int world() const { return world_; }

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

}  // namespace stc::dist
