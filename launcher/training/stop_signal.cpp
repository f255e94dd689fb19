#include "launcher/training/stop_signal.h"

#include <atomic>
#include <csignal>

namespace stc::launcher {
namespace {

std::atomic<int> first_signal{0};
static_assert(std::atomic<int>::is_always_lock_free,
              "a signal handler may touch lock-free atomics only");

extern "C" void remember_signal(int signal) {
  int none = 0;
  const bool is_first = first_signal.compare_exchange_strong(none, signal);
  if (is_first || signal != SIGINT || first_signal.load() != SIGINT) return;
  // The user means it: end as the signal would have ended us without a handler.
  std::signal(SIGINT, SIG_DFL);
  std::raise(SIGINT);
}

}  // namespace

void watch_stop_signals() {
  struct sigaction action = {};
  action.sa_handler = remember_signal;
  action.sa_flags = SA_RESTART;  // reads and writes under way go on; the loop looks between steps
  ::sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) ::sigaction(signal, &action, nullptr);
}

int stop_signal() { return first_signal.load(); }

}  // namespace stc::launcher
