// Each rank tells about once a second what it is doing, over a channel of its own, so that a hang
// is told with the name of who is missing. It needs no rank in particular: up to 16 ranks, spread
// over the world, listen, and the lowest of them that arrived speaks; under `stc launch` that
// process listens and speaks instead.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "dist/communicator.h"

namespace stc::dist {

struct HeartbeatOptions {
  double stall_seconds = 60;  ///< a stall is told before a collective has been pending for longer
  double timeout_seconds = 600;  ///< a collective pending for longer ends the rank
  /// Says a line to the user; called on the heartbeat's thread, on one rank for all.
  std::function<void(const std::string&)> report;
  /// Ends this rank; called on the heartbeat's thread once a collective is past the time-out and
  /// nothing else has ended it.
  std::function<void(const std::string&)> give_up;
};

/// The seconds between two words of a rank.
double heartbeat_seconds(double stall_seconds);
/// A rank that says nothing for this long is called silent.
double silent_seconds(double stall_seconds);

class Heartbeat {
 public:
  /// A collective: addresses are exchanged.
  Heartbeat(Communicator& world, const HeartbeatOptions& options);
  ~Heartbeat();

 private:
  class Thread;
  std::unique_ptr<Thread> thread_;
};

/// How `stc launch` tells its workers where it listens: "TOKEN ADDRESS..." in this variable.
constexpr char kLaunchVariable[] = "STC_LAUNCH";

}  // namespace stc::dist
