// Watches over the workers of `stc launch`: shows what they print, reports which ranks are missing
// in a stall, which rank was lost and what it was doing, and starts all of them again from the
// newest complete checkpoint.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "dist/datagram_socket.h"
#include "dist/status_board.h"
#include "launcher/supervision/worker_group.h"
#include "launcher/supervision/worker_output.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {

struct LaunchOptions {
  WorkerPlacement placement;
  int max_restarts = 0;
  std::string log_folder;            ///< the run's; rank-N.out goes there. Empty: none
  std::vector<std::string> command;  ///< the workers' program and its arguments
};

class LaunchSupervisor {
 public:
  explicit LaunchSupervisor(LaunchOptions options);

  /// The exit code of `stc launch`: the workers' own; 4 if a rank was lost and no restart is left;
  /// 128 + the signal that this process received, if the workers saved and stopped for it.
  int run();

 private:
  /// How all ranks together ended.
  enum class Ending {
    kFinished,     ///< exit code 0
    kFailed,       ///< an error that a restart would meet again: exit code 1, 2 or 3
    kStopped,      ///< on a signal, after a save
    kInterrupted,  ///< by a second signal, before the save was complete
    kNeverBegan,   ///< mpirun ended before any rank reported
    kHung,         ///< ranks waited in a collective for one that did not arrive
    kLostRank,     ///< a rank died, or mpirun itself
  };

  /// What is known of the workers that run now.
  struct Attempt {
    std::string token;                            ///< tells their messages from those of others
    std::optional<dist::StallReporter> reporter;  ///< from the first message of a rank
    std::vector<int> missing;                     ///< of the last stall reported
    SteadyTime last_message;
    std::optional<SteadyTime> lost_at;  ///< when mpirun reported a lost rank
    double timeout_seconds = 0;         ///< dist.timeout_seconds, as the ranks report it
    bool killed = false;                ///< mpirun, by end_if_stuck()
  };

  std::vector<std::string> begin_attempt(int restarts);
  void watch(WorkerGroup& workers);
  void show_output(WorkerGroup& workers);
  void receive_messages();
  void forward_signals(WorkerGroup& workers);
  void end_if_stuck(WorkerGroup& workers);
  Ending judge(WorkerGroup& workers) const;
  bool all_ended_in_order() const;
  void report_loss(WorkerGroup& workers) const;
  void report_rank(int rank, const std::string& how) const;
  bool may_restart(int restarts) const;  ///< logs why not
  bool pause(double seconds);            ///< false if a signal asks to stop

  LaunchOptions options_;
  dist::DatagramSocket socket_;
  WorkerOutput output_;
  WatchedSignals signals_;
  Attempt attempt_;
  bool has_begun_ = false;  // a rank has reported, in any attempt
  int stop_signal_ = 0;     // the first that came; 0: none
  int stop_signals_ = 0;    // how many came
};

}  // namespace stc::launcher
