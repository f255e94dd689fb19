#include "launcher/supervision/launch_supervisor.h"

#include <poll.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "dist/heartbeat.h"
#include "launcher/training/run_metrics.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

// Ranks past their own time-out end themselves, and mpirun the rest; the launcher ends those that
// cannot end.
constexpr double kGraceSeconds = 15;

// Many containers forbid it. Open MPI would then print "Read -1, expected N" for each large
// message, and send it through shared memory all the same.
bool can_read_other_processes() {
  static const char there = 's';
  const pid_t child = fork();
  if (child < 0) return false;
  if (child == 0) {
    ::pause();
    _exit(0);
  }
  char here = 0;
  const iovec to{&here, 1};
  const iovec from{const_cast<char*>(&there), 1};
  const bool was_read = process_vm_readv(child, &to, 1, &from, 1, 0) == 1 && here == there;
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  return was_read;
}

void show_indented(const std::string& line) { log::info("launch:   {}", line); }

std::string last_seen(const dist::RankStatus& status) {
  return text("last seen in step {}, {}{}",
              status.step,
              status.phase,
              status.verb.empty()
                  ? text(", after collective {}", status.arrived)
                  : text(", in collective {} ({})", status.completed + 1, status.verb));
}

}  // namespace

LaunchSupervisor::LaunchSupervisor(LaunchOptions options)
    : options_(std::move(options)),
      output_(options_.log_folder),
      signals_{SIGINT, SIGTERM, SIGUSR1} {}

int LaunchSupervisor::run() {
  double pause_seconds = 1;
  for (int restarts = 0;; ++restarts) {
    // 1. All ranks, until the last has ended. When one dies, mpirun ends the others.
    WorkerGroup workers(begin_attempt(restarts));
    watch(workers);

    // 2. An end that the ranks meant, or that a signal asked for, is the end of the launch.
    switch (judge(workers)) {
      case Ending::kFinished:
      case Ending::kFailed:
        return workers.exit_code();
      case Ending::kStopped:
        return stop_signal_ == 0 ? workers.exit_code() : 128 + stop_signal_;
      case Ending::kInterrupted:
        return 128 + stop_signal_;
      case Ending::kNeverBegan:
        report_loss(workers);
        return static_cast<int>(Exit::kFailed);
      case Ending::kHung:
        for (const int rank : attempt_.missing)
          report_rank(rank, "is missing; the other ranks waited for it");
        [[fallthrough]];
      case Ending::kLostRank:
        report_loss(workers);
    }

    // 3. After a loss all ranks start again, as often as allowed, unless a signal asked to stop.
    if (stop_signal_ != 0 || !may_restart(restarts)) return static_cast<int>(Exit::kLostRank);
    log::info(
        "launch: starting again in {} s from the newest complete checkpoint (restart {} of {})",
        pause_seconds,
        restarts + 1,
        options_.max_restarts);
    if (!pause(pause_seconds)) return 128 + stop_signal_;
    pause_seconds = std::min(60.0, 2 * pause_seconds);
  }
}

// The command that starts the workers.
std::vector<std::string> LaunchSupervisor::begin_attempt(int restarts) {
  attempt_ = {};
  attempt_.token = dist::random_token();
  output_.forget();
  std::string listeners = attempt_.token;
  for (const auto& address : socket_.addresses()) listeners += " " + address;
  setenv(dist::kLaunchVariable, listeners.c_str(), 1);
  setenv(kRestartsVariable, text("{}", restarts).c_str(), 1);
  // Containers run as root; who starts `stc launch` as root has decided that already.
  for (const auto* variable : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"})
    setenv(variable, "1", 0);
  if (!can_read_other_processes()) setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
  auto command = options_.command;
  if (restarts > 0) std::erase(command, "--fresh");  // a restart resumes the first attempt
  return mpirun_command(options_.placement, command);
}

void LaunchSupervisor::watch(WorkerGroup& workers) {
  attempt_.last_message = steady_now();
  while (workers.running()) {
    std::array<pollfd, 2> ready{
        {{workers.output(), POLLIN, 0}, {signals_.descriptor(), POLLIN, 0}}};
    ::poll(ready.data(), ready.size(), 50);
    if (ready[0].revents & POLLHUP) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    show_output(workers);
    forward_signals(workers);
    receive_messages();
    end_if_stuck(workers);
  }
  workers.end_all();
  show_output(workers);
  receive_messages();
}

void LaunchSupervisor::show_output(WorkerGroup& workers) {
  for (const auto& tagged : workers.read_lines()) {
    const auto line = output_.take(tagged, options_.placement.ranks);
    if (line) log::info("{}", *line);
  }
}

void LaunchSupervisor::receive_messages() {
  const auto now = steady_now();
  auto& reporter = attempt_.reporter;
  while (const auto datagram = socket_.receive(std::chrono::milliseconds(0))) {
    const auto status = dist::decode(*datagram, attempt_.token);
    if (!status) continue;
    if (!reporter) reporter.emplace(status->world, status->stall_seconds, now);
    attempt_.timeout_seconds = status->timeout_seconds;
    attempt_.last_message = now;
    has_begun_ = true;
    reporter->receive(*status, now);
  }
  // Once ranks are being ended, a stall of the others is not news.
  if (!reporter || output_.lost()) return;
  for (const auto& line : reporter->lines(now)) {
    log::error("launch: {}", line);
    attempt_.missing.clear();
    if (const auto stall = reporter->board().stall(now)) {
      for (const auto& one : stall->missing) attempt_.missing.push_back(one.rank);
    }
  }
}

// The first signal asks the workers to save and stop; a second ends them at once.
void LaunchSupervisor::forward_signals(WorkerGroup& workers) {
  while (const auto signal = signals_.next()) {
    if (++stop_signals_ > 1) {
      workers.signal(stop_signals_ == 2 ? SIGTERM : SIGKILL);
      continue;
    }
    stop_signal_ = *signal;
    log::info("launch: SIG{}: the ranks save and stop; a second signal ends them at once",
              sigabbrev_np(stop_signal_));
    // mpirun forwards SIGUSR1; SIGTERM would make it kill the ranks a second later.
    workers.signal(SIGUSR1);
  }
}

// mpirun ends the rest of a job that lost a rank, but waits for nodes that it cannot reach; and if
// every rank is stopped, none can end the run.
void LaunchSupervisor::end_if_stuck(WorkerGroup& workers) {
  if (!attempt_.reporter || attempt_.killed) return;
  if (!attempt_.lost_at && output_.lost()) attempt_.lost_at = steady_now();
  const bool lingers = attempt_.lost_at && seconds_since(*attempt_.lost_at) > kGraceSeconds;
  const double silent_seconds = seconds_since(attempt_.last_message);
  if (!lingers && silent_seconds <= attempt_.timeout_seconds + kGraceSeconds) return;
  if (lingers)
    log::info("launch: mpirun still runs {} s after the loss and is killed", kGraceSeconds);
  else
    log::info("launch: no rank has reported for {} s; all are killed",
              std::llround(silent_seconds));
  attempt_.killed = true;
  workers.signal(SIGKILL);
}

bool LaunchSupervisor::all_ended_in_order() const {
  if (!attempt_.reporter) return false;
  const auto& board = attempt_.reporter->board();
  for (int rank = 0; rank < board.world(); ++rank) {
    const auto latest = board.latest(rank);
    if (!latest || !latest->ended) return false;
  }
  return true;
}

LaunchSupervisor::Ending LaunchSupervisor::judge(WorkerGroup& workers) const {
  const int code = workers.exit_code();
  const bool in_order = all_ended_in_order();
  const bool is_from_ranks = !workers.was_killed() && (output_.lost() || in_order);
  if (code == 0) return Ending::kFinished;
  if (is_from_ranks && code < static_cast<int>(Exit::kLostRank)) return Ending::kFailed;
  if (in_order && code >= 128) return Ending::kStopped;
  if (stop_signals_ > 1) return Ending::kInterrupted;
  // In a later attempt a node may be about to come back; in the first, another one would end alike.
  if (!is_from_ranks && !has_begun_) return Ending::kNeverBegan;
  return attempt_.missing.empty() ? Ending::kLostRank : Ending::kHung;
}

void LaunchSupervisor::report_loss(WorkerGroup& workers) const {
  if (output_.lost()) return report_rank(output_.lost()->rank, output_.lost()->how);
  if (workers.was_killed()) {
    log::error("launch: mpirun was killed by signal {}", workers.exit_code() - 128);
    return;
  }
  log::error("launch: mpirun ended with exit code {}; its output:", workers.exit_code());
  for (const auto& line : output_.mpirun_lines()) {
    if (line.find_first_not_of("- \t") != std::string::npos) show_indented(line);
  }
}

void LaunchSupervisor::report_rank(int rank, const std::string& how) const {
  const auto& reporter = attempt_.reporter;
  const auto latest = reporter ? reporter->board().latest(rank) : std::nullopt;
  if (latest) {
    const auto process = text("node {}, pid {}", latest->host, latest->pid);
    log::error("launch: rank {} ({}) {}; {}", rank, process, how, last_seen(*latest));
  } else {
    log::error("launch: rank {} {}; it had not reported yet", rank, how);
  }
  const auto lines = output_.last_lines(rank);
  if (!lines.empty()) log::info("launch: the last lines of rank {}:", rank);
  for (const auto& line : lines) show_indented(line);
}

bool LaunchSupervisor::may_restart(int restarts) const {
  if (restarts < options_.max_restarts) return true;
  log::error(
      "launch: {} (--max-restarts {}); run the same command again to resume from the newest "
      "complete checkpoint",
      restarts == 0 ? "no restarts were requested" : "no restart is left",
      restarts);
  return false;
}

bool LaunchSupervisor::pause(double seconds) {
  pollfd ready{signals_.descriptor(), POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>(seconds * 1000)) == 0) return true;
  stop_signal_ = signals_.next().value_or(stop_signal_);
  return false;
}

}  // namespace stc::launcher
