// Each rank sends about once per second what it is doing, over a channel of its own, so that a hang
// is reported with the missing rank. It depends on no single rank: up to 16 ranks, spread over the
// world, listen, and the lowest of them that waits reports; under `stc launch` that process
// listens and reports instead.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "dist/communicator.h"

namespace stc::dist {

struct HeartbeatOptions {
  double stall_seconds =
      60;  ///< a stall is reported before a collective has been pending for longer
  double timeout_seconds = 600;  ///< a collective pending for longer ends the rank
  /// Shows a line to the user; called on the heartbeat's thread, on one rank for all.
  std::function<void(const std::string&)> report;
  /// Ends this rank; called on the heartbeat's thread when a collective is past the time-out and
  /// nothing else has ended it.
  std::function<void(const std::string&)> give_up;
};

/// The seconds between two messages of a rank.
double heartbeat_seconds(double stall_seconds);
/// A rank without a message for this long is silent.
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

/// The variable in which `stc launch` gives its workers the addresses it listens on:
/// "TOKEN ADDRESS...".
constexpr char kLaunchVariable[] = "STC_LAUNCH";

}  // namespace stc::dist
