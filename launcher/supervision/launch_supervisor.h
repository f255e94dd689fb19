// Watches over the workers of `stc launch`: shows what they say, tells who is missing in a stall,
// who was lost and what it was doing, and starts all of them again from the newest whole
// checkpoint.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dist/datagram_socket.h"
#include "dist/stall_reporter.h"
#include "launcher/supervision/worker_group.h"
#include "launcher/supervision/worker_output.h"

namespace stc::launcher {

struct LaunchOptions {
  WorkerPlacement placement;
  int max_restarts = 0;
  std::string log_folder;            ///< the run's; rank-N.out goes there. Empty: none
  std::vector<std::string> command;  ///< the workers' program and its arguments
};

/// How an attempt ended.
struct AttemptEnd {
  int exit_code = 0;
  bool can_restart = false;  ///< a rank or mpirun was lost; else the workers meant their exit code
};

class LaunchSupervisor {
 public:
  explicit LaunchSupervisor(LaunchOptions options);

  /// The exit code of `stc launch`: the workers' own; 4 where a rank was lost and no restart is
  /// left; 128 + the signal that this process received, where the workers saved and stopped for it.
  int run();

 private:
  AttemptEnd attempt(int number);
  void watch(WorkerGroup& workers);
  void listen();
  void pass_on_signals(WorkerGroup& workers);
  void show(const std::string& tagged);
  void end_what_cannot_end(WorkerGroup& workers);
  AttemptEnd judge(WorkerGroup& workers);
  bool all_ended_in_order() const;
  void tell_loss(WorkerGroup& workers);
  void tell_rank(int rank, const std::string& how);
  bool pause(double seconds);  ///< false where a signal asks to stop

  LaunchOptions options_;
  std::string token_;
  dist::DatagramSocket socket_;
  WorkerOutput output_;
  std::optional<dist::StallReporter> reporter_;  // from the first word of a rank
  std::vector<int> missing_;                     // of the stall that was told last and is open
  bool begun_ = false;                           // a rank has spoken, in any attempt
  double timeout_seconds_ = 0;                   // the run's own, as its ranks say
  dist::StatusBoard::Time heard_, lost_;         // the last word of a rank; when a loss was known
  bool ended_ = false;                           // mpirun was killed
  int signals_ = -1;                             // signalfd
  int stop_signal_ = 0, stop_signals_ = 0;
};

}  // namespace stc::launcher
