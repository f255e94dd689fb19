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
  bool is_news(const StatusBoard::Stall& stall) const;

  StatusBoard board_;
  bool open_ = false;            // a stall was told, and is not over
  std::int64_t collective_ = 0;  // that was told last
  std::vector<int> told_missing_;
  Time began_;
};

}  // namespace stc::dist
