// What a rank reports of itself, about once per second: enough to tell who hangs, where, and what
// it was doing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace stc::dist {

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

}  // namespace stc::dist
