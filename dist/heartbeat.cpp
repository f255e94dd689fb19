#include "dist/heartbeat.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <sstream>
#include <thread>

#include "dist/collective_log.h"
#include "dist/datagram_socket.h"
#include "dist/group_communicator.h"
#include "dist/run_together.h"
#include "dist/status_board.h"
#include "monitoring/activity.h"
#include "monitoring/check.h"
#include "monitoring/stopwatch.h"

namespace stc::dist {
namespace {

// Past its time-out the collective itself fails first, with a better message; this is for one that
// cannot fail.
constexpr double kGraceSeconds = 5;

std::vector<std::string> split(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

RankStatus status_of(const Communicator& world,
                     const HeartbeatOptions& options,
                     const CollectiveLog* log) {
  RankStatus status;
  status.stall_seconds = options.stall_seconds;
  status.timeout_seconds = options.timeout_seconds;
  status.rank = world.rank();
  status.world = world.size();
  status.pid = getpid();
  status.host = world.host();
  const auto activity = activity::now();
  status.step = activity.step;
  status.phase = activity::name(activity.phase);
  status.phase_seconds = seconds_since(activity.since);
  if (log == nullptr) return status;
  const auto progress = log->progress();
  status.arrived = progress.arrived;
  status.completed = progress.completed;
  if (progress.pending) {
    status.verb = progress.pending->verb;
    status.bytes = progress.pending->bytes;
    status.pending_seconds = seconds_since(progress.pending->arrived);
  }
  return status;
}

}  // namespace

double heartbeat_seconds(double stall_seconds) { return std::clamp(stall_seconds / 16, 0.05, 1.0); }
double silent_seconds(double stall_seconds) { return 4 * heartbeat_seconds(stall_seconds); }

class Heartbeat::Thread {
 public:
  Thread(Communicator& world, const HeartbeatOptions& options)
      : world_(world), options_(options), log_(collective_log_of(world)) {
    const char* launch = std::getenv(kLaunchVariable);
    const auto given = split(launch == nullptr ? "" : launch);
    token_ = given.empty() ? random_token() : given.front();
    if (!given.empty()) addresses_.assign(given.begin() + 1, given.end());
    if (given.empty() && world.size() > 1) exchange_addresses();
    if (!addresses_.empty() || log_) thread_ = std::thread([this] { run(); });
  }

  ~Thread() {
    in_order_ = std::uncaught_exceptions() == 0;
    ending_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  // All ranks take rank 0's token, and learn the addresses of the listeners.
  void exchange_addresses() {
    const bool listener = listens(world_.rank(), world_.size());
    std::string own = token_;
    if (listener) {
      for (const auto& address : socket_.addresses()) own += " " + address;
      board_ = std::make_unique<StallReporter>(world_.size(), options_.stall_seconds, steady_now());
    }
    const auto lines = gather_lines(world_, own);
    token_ = split(lines[0]).front();
    for (const auto& line : lines) {
      const auto parts = split(line);
      addresses_.insert(addresses_.end(), parts.begin() + 1, parts.end());
    }
  }

  void run() {
    const auto period = std::chrono::duration_cast<SteadyTime::duration>(
        std::chrono::duration<double>(heartbeat_seconds(options_.stall_seconds)));
    while (!ending_) {
      const auto next = steady_now() + period;
      if (log_) log_->poll();
      const RankStatus status = status_of(world_, options_, log_.get());
      send(status);
      listen_until(next);
      if (board_ && reports()) {
        for (const auto& line : board_->lines(steady_now())) options_.report(line);
      }
      if (status.pending_seconds > options_.timeout_seconds + kGraceSeconds) {
        options_.give_up(
            text("collective {} ({}) has been pending for {} s; dist.timeout_seconds is {}",
                 status.completed + 1,
                 status.verb,
                 std::llround(status.pending_seconds),
                 options_.timeout_seconds));
      }
    }
    RankStatus last = status_of(world_, options_, log_.get());
    last.ended = in_order_;
    send(last);
  }

  void send(const RankStatus& status) {
    const std::string datagram = encode(status, token_);
    for (const auto& address : addresses_) socket_.send(datagram, address);
  }

  void listen_until(SteadyTime end) {
    constexpr auto kLongest = std::chrono::milliseconds(100);  // the end of the run waits this long
    while (!ending_ && steady_now() < end) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - steady_now());
      const auto datagram =
          socket_.receive(std::clamp(left, std::chrono::milliseconds(1), kLongest));
      if (!datagram || !board_) continue;
      const auto status = decode(*datagram, token_);
      if (status) board_->receive(*status, steady_now());
    }
  }

  // Asked after listening, so that this rank's own place is newer than what it heard.
  bool reports() const {
    const auto pending = log_->progress().pending;
    return reports_for_all(board_->board(),
                           world_.rank(),
                           pending ? seconds_since(pending->arrived) : 0,
                           steady_now());
  }

  Communicator& world_;
  const HeartbeatOptions options_;
  const std::shared_ptr<CollectiveLog> log_;
  DatagramSocket socket_;
  std::string token_;
  std::vector<std::string> addresses_;
  std::unique_ptr<StallReporter> board_;  // if this rank listens
  std::atomic<bool> in_order_{true}, ending_{false};
  std::thread thread_;
};

Heartbeat::Heartbeat(Communicator& world, const HeartbeatOptions& options)
    : thread_(std::make_unique<Thread>(world, options)) {}

Heartbeat::~Heartbeat() = default;

}  // namespace stc::dist
