#include "launcher/training/stop_signal.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>

namespace stc::launcher {
namespace {

// A process of its own, since signals are counted once a process; returns what waitpid says of its
// end.
int status_of(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    body();
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

TEST(StopSignal, IsZeroUntilOneComes) {
  const int status = status_of([] {
    watch_stop_signals();
    ::_exit(stop_signal());
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(StopSignal, TellsWhichOfTheThreeCame) {
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    const int status = status_of([signal] {
      watch_stop_signals();
      ::raise(signal);
      ::_exit(stop_signal());
    });
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), signal);
  }
}

TEST(StopSignal, KeepsTheFirstAndLivesOnAfterOthers) {
  const int status = status_of([] {
    watch_stop_signals();
    ::raise(SIGUSR1);
    ::raise(SIGTERM);
    ::raise(SIGTERM);
    ::raise(SIGINT);
    ::_exit(stop_signal());
  });
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), SIGUSR1);
}

TEST(StopSignal, SecondInterruptEndsTheProcessAtOnce) {
  const int status = status_of([] {
    watch_stop_signals();
    ::raise(SIGINT);
    ::raise(SIGINT);
  });
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(WTERMSIG(status), SIGINT);
}

}  // namespace
}  // namespace stc::launcher
