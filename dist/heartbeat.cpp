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
#include "dist/gather_lines.h"
#include "dist/group_communicator.h"
#include "dist/stall_reporter.h"
#include "monitoring/activity.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kMostListeners = 16;
// Past its time-out the collective itself fails first, with a better message; this is for one that
// cannot.
constexpr double kGraceSeconds = 5;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::vector<std::string> words(const std::string& line) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string word; in >> word;) out.push_back(word);
  return out;
}

bool listens(int rank, int world) {
  const int stride = (world + kMostListeners - 1) / kMostListeners;
  return rank % stride == 0;
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
    const auto given = words(launch == nullptr ? "" : launch);
    token_ = given.empty() ? random_token() : given.front();
    if (!given.empty()) addresses_.assign(given.begin() + 1, given.end());
    if (given.empty() && world.size() > 1) meet();
    if (!addresses_.empty() || log_) thread_ = std::thread([this] { run(); });
  }

  ~Thread() {
    in_order_ = std::uncaught_exceptions() == 0;
    ending_ = true;
    if (thread_.joinable()) thread_.join();
  }

 private:
  // Rank 0's token, and where the listeners are.
  void meet() {
    const bool listener = listens(world_.rank(), world_.size());
    std::string own = token_;
    if (listener) {
      for (const auto& address : socket_.addresses()) own += " " + address;
      board_ = std::make_unique<StallReporter>(
          world_.size(), options_.stall_seconds, StatusBoard::Time::clock::now());
    }
    const auto lines = gather_lines(world_, own);
    token_ = words(lines[0]).front();
    for (const auto& line : lines) {
      const auto parts = words(line);
      addresses_.insert(addresses_.end(), parts.begin() + 1, parts.end());
    }
  }

  void run() {
    const auto period = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(heartbeat_seconds(options_.stall_seconds)));
    while (!ending_) {
      const auto next = Clock::now() + period;
      if (log_) log_->poll();
      const RankStatus status = status_of(world_, options_, log_.get());
      tell(status);
      listen_until(next);
      if (board_ && speaks_for_all()) {
        for (const auto& line : board_->lines(Clock::now())) options_.report(line);
      }
      if (status.pending_seconds > options_.timeout_seconds + kGraceSeconds) {
        options_.give_up(text("collective {} ({}) is pending for {} s; dist.timeout_seconds is {}",
                              status.completed + 1,
                              status.verb,
                              std::llround(status.pending_seconds),
                              options_.timeout_seconds));
      }
    }
    RankStatus last = status_of(world_, options_, log_.get());
    last.ended = in_order_;
    tell(last);
  }

  void tell(const RankStatus& status) {
    const std::string datagram = encode(status, token_);
    for (const auto& address : addresses_) socket_.send(datagram, address);
  }

  void listen_until(Clock::time_point end) {
    constexpr auto kLongest = std::chrono::milliseconds(100);  // the end of the run waits no longer
    while (!ending_ && Clock::now() < end) {
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
      const auto datagram =
          socket_.receive(std::clamp(left, std::chrono::milliseconds(1), kLongest));
      if (!datagram || !board_) continue;
      const auto status = decode(*datagram, token_);
      if (status) board_->receive(*status, Clock::now());
    }
  }

  // One rank speaks for all: the lowest listener that waits itself.
  bool speaks_for_all() const {
    const auto stall = board_->board().stall(Clock::now());
    if (!stall) return true;  // a stall that ended is told by who told it
    const auto waits = [&](int rank) {
      return std::none_of(stall->missing.begin(), stall->missing.end(), [&](const auto& missing) {
        return missing.rank == rank;
      });
    };
    for (int rank = 0; rank < world_.rank(); ++rank) {
      if (listens(rank, world_.size()) && waits(rank)) return false;
    }
    return waits(world_.rank());
  }

  Communicator& world_;
  const HeartbeatOptions options_;
  const std::shared_ptr<CollectiveLog> log_;
  DatagramSocket socket_;
  std::string token_;
  std::vector<std::string> addresses_;
  std::unique_ptr<StallReporter> board_;  // where this rank listens
  std::atomic<bool> in_order_{true}, ending_{false};
  std::thread thread_;
};

Heartbeat::Heartbeat(Communicator& world, const HeartbeatOptions& options)
    : thread_(std::make_unique<Thread>(world, options)) {}

Heartbeat::~Heartbeat() = default;

}  // namespace stc::dist
