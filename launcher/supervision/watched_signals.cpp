#include "launcher/supervision/watched_signals.h"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

namespace stc::launcher {

WatchedSignals::WatchedSignals(std::initializer_list<int> signals) {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : signals) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  file_ = data::Descriptor(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

std::optional<int> WatchedSignals::next() {
  signalfd_siginfo received{};
  if (::read(descriptor(), &received, sizeof received) != sizeof received) return std::nullopt;
  return static_cast<int>(received.ssi_signo);
}

}  // namespace stc::launcher
