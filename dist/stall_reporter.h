// What of the board is worth a line: a stall once for each set of missing ranks, and its end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dist/status_board.h"

namespace stc::dist {

class StallReporter {
 public:
  using Time = StatusBoard::Time;
  StallReporter(int world, double stall_seconds, Time start);

  void receive(const RankStatus& status, Time now) { board_.receive(status, now); }
  const StatusBoard& board() const { return board_; }

  std::vector<std::string> lines(Time now);

 private:
  StatusBoard board_;
  Time began_;                   // of the stall that was told
  std::int64_t collective_ = 0;  // 0: none is told and open
  std::vector<int> told_missing_;
};

}  // namespace stc::dist
