#include "launcher/supervision/launch_supervisor.h"

#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
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

using Clock = std::chrono::steady_clock;

// Ranks past their own time-out end themselves, and mpirun the rest; the launcher ends those that
// cannot.
constexpr double kGraceSeconds = 15;

double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

void say(const std::string& line) { log::info("{}", "launch: " + line); }

int watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

std::string signal_name(int signal) { return text("SIG{}", sigabbrev_np(signal)); }

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
    : options_(std::move(options)), output_(options_.log_folder), signals_(watched_signals()) {}

int LaunchSupervisor::run() {
  double pause_seconds = 1;
  for (int number = 0;; ++number) {
    const AttemptEnd end = attempt(number);
    if (stop_signal_ != 0 && end.exit_code >= 128 && !end.can_restart) return 128 + stop_signal_;
    if (!end.can_restart || stop_signal_ != 0) return end.exit_code;
    if (number == options_.max_restarts) {
      log::error(
          "launch: {} (--max-restarts {}); the same command goes on from the newest whole "
          "checkpoint",
          number == 0 ? "no restarts were asked for" : "no restart is left",
          options_.max_restarts);
      return static_cast<int>(Exit::kLostRank);
    }
    say(text("starting again in {} s from the newest whole checkpoint (restart {} of {})",
             pause_seconds,
             number + 1,
             options_.max_restarts));
    if (!pause(pause_seconds)) return 128 + stop_signal_;
    pause_seconds = std::min(60.0, 2 * pause_seconds);
  }
}

AttemptEnd LaunchSupervisor::attempt(int number) {
  token_ = dist::random_token();
  reporter_.reset();
  missing_.clear();
  lost_ = {};
  ended_ = false;
  output_.forget();
  std::string where = token_;
  for (const auto& address : socket_.addresses()) where += " " + address;
  setenv(dist::kLaunchVariable, where.c_str(), 1);
  setenv(kRestartsVariable, text("{}", number).c_str(), 1);
  // Containers run as root; who starts `stc launch` as root has decided that already.
  for (const auto* variable : {"OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"})
    setenv(variable, "1", 0);
  auto command = options_.command;
  // What the first attempt made is what the next goes on with.
  if (number > 0) std::erase(command, "--fresh");
  WorkerGroup workers(mpirun_command(options_.placement, command));
  watch(workers);
  return judge(workers);
}

void LaunchSupervisor::watch(WorkerGroup& workers) {
  heard_ = Clock::now();
  while (workers.running()) {
    std::array<pollfd, 2> ready{{{workers.output(), POLLIN, 0}, {signals_, POLLIN, 0}}};
    ::poll(ready.data(), ready.size(), 50);
    if (ready[0].revents & POLLHUP) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    for (const auto& line : workers.read_lines()) show(line);
    pass_on_signals(workers);
    listen();
    end_what_cannot_end(workers);
  }
  workers.end_all();
  for (const auto& line : workers.read_lines()) show(line);
  listen();
}

void LaunchSupervisor::show(const std::string& tagged) {
  const auto line = output_.take(tagged, options_.placement.ranks);
  if (line) log::info("{}", *line);
}

void LaunchSupervisor::listen() {
  const auto now = Clock::now();
  while (const auto datagram = socket_.receive(std::chrono::milliseconds(0))) {
    const auto status = dist::decode(*datagram, token_);
    if (!status) continue;
    if (!reporter_) reporter_.emplace(status->world, status->stall_seconds, now);
    timeout_seconds_ = status->timeout_seconds;
    begun_ = true;
    heard_ = now;
    reporter_->receive(*status, now);
  }
  // Once ranks are being ended, what the others see of it is no news.
  if (!reporter_ || output_.lost()) return;
  for (const auto& line : reporter_->lines(now)) {
    log::error("{}", "launch: " + line);
    missing_.clear();
    if (const auto stall = reporter_->board().stall(now)) {
      for (const auto& one : stall->missing) missing_.push_back(one.rank);
    }
  }
}

// The first signal asks the workers to save and stop; a second ends them at once.
void LaunchSupervisor::pass_on_signals(WorkerGroup& workers) {
  signalfd_siginfo info{};
  while (::read(signals_, &info, sizeof info) == sizeof info) {
    const int signal = static_cast<int>(info.ssi_signo);
    if (++stop_signals_ == 1) {
      stop_signal_ = signal;
      say(text("{}: the ranks save and stop; once more ends them at once", signal_name(signal)));
      workers.signal(
          SIGUSR1);  // which mpirun passes on; SIGTERM would have it kill them a second later
    } else {
      workers.signal(stop_signals_ == 2 ? SIGTERM : SIGKILL);
    }
  }
}

// mpirun ends what is left of a job that lost a rank, but waits for nodes that it cannot reach; and
// where every rank is stopped, none can end the run.
void LaunchSupervisor::end_what_cannot_end(WorkerGroup& workers) {
  if (!reporter_ || ended_) return;
  const auto now = Clock::now();
  if (lost_ == Clock::time_point() && output_.lost()) lost_ = now;
  const bool lingers = lost_ != Clock::time_point() && seconds_between(lost_, now) > kGraceSeconds;
  const bool mute = seconds_between(heard_, now) > timeout_seconds_ + kGraceSeconds;
  if (!lingers && !mute) return;
  say(lingers ? text("mpirun has not ended {} s after the loss; it is killed", kGraceSeconds)
              : text("no rank has spoken for {} s; they are ended",
                     std::llround(seconds_between(heard_, now))));
  ended_ = true;
  workers.signal(SIGKILL);
}

bool LaunchSupervisor::all_ended_in_order() const {
  if (!reporter_) return false;
  for (int rank = 0; rank < reporter_->board().world(); ++rank) {
    const auto latest = reporter_->board().latest(rank);
    if (!latest || !latest->ended) return false;
  }
  return true;
}

AttemptEnd LaunchSupervisor::judge(WorkerGroup& workers) {
  const int code = workers.exit_code();
  const bool by_mpirun =
      workers.was_killed() || (code != 0 && !output_.lost() && !all_ended_in_order());
  const bool meant = code == 0 || (code < static_cast<int>(Exit::kLostRank) && !by_mpirun) ||
                     (code >= 128 && all_ended_in_order());
  if (meant) return {code, false};
  if (stop_signals_ > 1) return {128 + stop_signal_, true};
  tell_loss(workers);
  // Nothing began: another attempt would meet the same. Later ones may wait for a node to come
  // back.
  if (by_mpirun && !begun_) return {static_cast<int>(Exit::kFailed), false};
  return {static_cast<int>(Exit::kLostRank), true};
}

void LaunchSupervisor::tell_loss(WorkerGroup& workers) {
  for (const int rank : missing_) tell_rank(rank, "is missing: the others waited for it");
  if (output_.lost()) return tell_rank(output_.lost()->rank, output_.lost()->how);
  if (workers.was_killed()) {
    log::error("launch: mpirun was killed by signal {}", workers.exit_code() - 128);
    return;
  }
  log::error("launch: mpirun ended with exit code {}; it said:", workers.exit_code());
  for (const auto& line : output_.words_of_mpirun()) {
    if (line.find_first_not_of("- \t") != std::string::npos) say("  " + line);
  }
}

void LaunchSupervisor::tell_rank(int rank, const std::string& how) {
  const auto latest = reporter_ ? reporter_->board().latest(rank) : std::nullopt;
  if (latest) {
    log::error("launch: rank {} (node {}, pid {}) {}; {}",
               rank,
               latest->host,
               latest->pid,
               how,
               last_seen(*latest));
  } else {
    log::error("launch: rank {} {}; it had not begun", rank, how);
  }
  const auto words = output_.last_words(rank);
  if (!words.empty()) say(text("the last words of rank {}:", rank));
  for (const auto& line : words) say("  " + line);
}

bool LaunchSupervisor::pause(double seconds) {
  pollfd ready{signals_, POLLIN, 0};
  if (::poll(&ready, 1, static_cast<int>(seconds * 1000)) == 0) return true;
  signalfd_siginfo info{};
  if (::read(signals_, &info, sizeof info) == sizeof info)
    stop_signal_ = static_cast<int>(info.ssi_signo);
  return false;
}

}  // namespace stc::launcher
