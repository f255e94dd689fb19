// The log lines that follow from the board: a stall once for each set of missing ranks, and its
// end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dist/status_board.h"

namespace stc::dist {

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
