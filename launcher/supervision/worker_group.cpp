#include "launcher/supervision/worker_group.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <thread>

#include "launcher/training/run_metrics.h"
#include "monitoring/check.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {
namespace {

// This process's children: with PR_SET_CHILD_SUBREAPER also the workers whose mpirun has died.
std::vector<pid_t> children() {
  std::ifstream list(text("/proc/self/task/{}/children", gettid()));
  std::vector<pid_t> found;
  for (pid_t one = 0; list >> one;) found.push_back(one);
  return found;
}

[[noreturn]] void become(const std::vector<std::string>& command, int output) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);  // no workers without their launcher
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = open("/dev/null", O_RDONLY);
  dup2(nothing, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  std::vector<char*> arguments;
  for (const auto& one : command) arguments.push_back(const_cast<char*>(one.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  _exit(127);
}

}  // namespace

std::vector<std::string> mpirun_command(const WorkerPlacement& placement,
                                        const std::vector<std::string>& command) {
  std::vector<std::string> out{"mpirun", "-np", text("{}", placement.ranks), "--bind-to", "none"};
  out.insert(out.end(), {"--oversubscribe", "--tag-output"});
  const auto add = [&out](const char* option, const std::string& value) {
    out.insert(out.end(), {option, value});
  };
  add("-x", "STC_LAUNCH");
  add("-x", kRestartsVariable);
  if (placement.ranks_per_node > 0) add("--map-by", text("ppr:{}:node", placement.ranks_per_node));
  if (!placement.hostfile.empty()) add("--hostfile", placement.hostfile);
  if (!placement.hosts.empty()) add("--host", placement.hosts);
  out.insert(out.end(), command.begin(), command.end());
  return out;
}

WorkerGroup::WorkerGroup(const std::vector<std::string>& command) {
  std::array<int, 2> ends{};
  STC_CHECK(
      pipe2(ends.data(), O_CLOEXEC) == 0, "a pipe cannot be created: {}", std::strerror(errno));
  output_ = data::Descriptor(ends[0]);
  const data::Descriptor input(ends[1]);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  process_ = fork();
  STC_CHECK(process_ >= 0, "a process cannot be started: {}", std::strerror(errno));
  if (process_ == 0) become(command, input.number());
  fcntl(output(), F_SETFL, O_NONBLOCK);
}

std::vector<std::string> WorkerGroup::read_lines() {
  std::array<char, 65536> buffer;
  for (;;) {
    const auto length = ::read(output(), buffer.data(), buffer.size());
    if (length <= 0) break;
    partial_.append(buffer.data(), static_cast<std::size_t>(length));
  }
  std::vector<std::string> lines;
  std::size_t start = 0;
  for (auto end = partial_.find('\n'); end != std::string::npos; end = partial_.find('\n', start)) {
    lines.push_back(partial_.substr(start, end - start));
    if (lines.back().ends_with('\r')) lines.back().pop_back();
    start = end + 1;
  }
  partial_.erase(0, start);
  return lines;
}

void WorkerGroup::signal(int number) {
  if (!status_) ::kill(process_, number);
}

bool WorkerGroup::running() {
  int status = 0;
  if (!status_ && waitpid(process_, &status, WNOHANG) == process_) status_ = status;
  return !status_;
}

int WorkerGroup::exit_code() {
  const int status = status_.value_or(0);
  STC_CHECK_USAGE(
      !WIFEXITED(status) || WEXITSTATUS(status) != 127,
      "mpirun was not found; install Open MPI (Debian: openmpi-bin) or load its module");
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

bool WorkerGroup::was_killed() const { return status_ && WIFSIGNALED(*status_); }

void WorkerGroup::end_all() {
  // Workers end with their parent (end_with_parent()); what is left after two seconds is killed.
  constexpr double kPatienceSeconds = 2;
  const Stopwatch clock;
  if (running()) ::kill(process_, SIGKILL);
  for (;;) {
    int status = 0;
    const pid_t ended = waitpid(-1, &status, WNOHANG);
    if (ended < 0) break;  // no child is left
    if (ended == process_) status_ = status;
    if (ended > 0) continue;
    if (clock.seconds() > kPatienceSeconds) {
      for (const pid_t child : children()) ::kill(child, SIGKILL);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

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
