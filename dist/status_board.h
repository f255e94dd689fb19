// The latest word of every rank, and the judgement over them: does the run stand still, in which
// collective, and for whom does it wait. Pure: time comes in as an argument.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "dist/rank_status.h"

namespace stc::dist {

class StatusBoard {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Options {
    double stall_seconds = 60;  ///< a stall is told before a collective has been pending for longer
    double silent_seconds =
        4;  ///< a rank that says nothing for this long is missing wherever it is
  };
  StatusBoard(int world, const Options& options, Time start);

  void receive(const RankStatus& status, Time now);

  struct Missing {
    int rank = 0;
    double silent_seconds = 0;         ///< 0 where it still speaks
    std::optional<RankStatus> latest;  ///< nothing where it never spoke
  };
  struct Stall {
    std::int64_t collective = 0;
    RankStatus waiting;            ///< the lowest rank that waits in it
    std::vector<Missing> missing;  ///< in rank order; empty: all arrived, and nothing moves
    double seconds = 0;            ///< since the first arrived

    std::string description(int world) const;  ///< one line
  };
  /// The collective that ranks have waited in for most of stall_seconds.
  std::optional<Stall> stall(Time now) const;

  bool is_complete(std::int64_t collective) const;  ///< on some rank, as far as is known
  std::optional<RankStatus> latest(int rank) const;
  bool speaks(int rank, Time now) const;
  int world() const { return world_; }

 private:
  struct Entry {
    RankStatus status;
    Time received;
  };
  double age(const Entry& entry, Time now) const;

  int world_;
  Options options_;
  Time start_;
  std::map<int, Entry> entries_;
};

}  // namespace stc::dist
