// `stc monitor`: the installed Prometheus, for one run and for as long as somebody looks.
#include <netinet/in.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "alert_rules.h"  // written by the build from monitoring/alerts/stc.yml
#include "data/descriptor.h"
#include "launcher/commands.h"
#include "launcher/run_folder/scratch_folder.h"
#include "launcher/supervision/prometheus_config.h"
#include "launcher/supervision/worker_group.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

constexpr int kUsualPort = 9090;

struct Arguments {
  std::string run;
  int port = 0;  // 0: the usual one, or any free one where it is taken
};

std::string find_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::istringstream folders(path == nullptr ? "" : path);
  for (std::string folder; std::getline(folders, folder, ':');) {
    auto program = folder + "/" + name;
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  throw Error(Exit::kUsage,
              text("{} is not found in PATH; install it (Debian: apt-get install {})", name, name));
}

std::string write(const std::string& file, const std::string& content) {
  std::ofstream out(file);
  out << content << std::flush;
  STC_CHECK(out, "{} cannot be written: {}", file, std::strerror(errno));
  return file;
}

// The port itself where it is free, any free one for 0; else nothing, as 0.
int free_port(int port) {
  const data::Descriptor probe(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(probe.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  const bool bound =
      ::bind(probe.number(), any, size) == 0 && ::getsockname(probe.number(), any, &size) == 0;
  return bound ? ntohs(address.sin_port) : 0;
}

int choose_port(int asked) {
  if (const int free = free_port(asked == 0 ? kUsualPort : asked)) return free;
  STC_CHECK_USAGE(asked == 0, "--port {} is taken; leave it out for any free one", asked);
  return free_port(0);
}

int stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM}) sigaddset(&set, signal);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  return signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
}

// Until it ends: by itself, or because a signal has asked for it, which returns true.
bool watch(WorkerGroup& prometheus, const std::string& when_ready, std::string* last_line) {
  const data::Descriptor signals(stop_signals());
  bool asked = false;
  while (prometheus.running()) {
    std::array<pollfd, 2> ready{{{prometheus.output(), POLLIN, 0}, {signals.number(), POLLIN, 0}}};
    ::poll(ready.data(), ready.size(), 100);
    for (const auto& line : prometheus.read_lines()) {
      if (line.find("Server is ready") != std::string::npos) log::info("{}", when_ready);
      *last_line = line;
    }
    signalfd_siginfo info{};
    if (::read(signals.number(), &info, sizeof info) != sizeof info) continue;
    prometheus.signal(asked ? SIGKILL : SIGTERM);
    asked = true;
  }
  for (const auto& line : prometheus.read_lines()) *last_line = line;
  return asked;
}

int monitor(const Arguments& arguments) {
  const auto program = find_program("prometheus");
  const ScratchFolder folder(temporary_parent(), "what Prometheus keeps (TMPDIR)");
  const auto rules = write(folder.path() + "/stc.yml", kAlertRules);
  const auto config =
      write(folder.path() + "/prometheus.yml", prometheus_config(arguments.run, rules));
  const int port = choose_port(arguments.port);
  WorkerGroup prometheus({program,
                          "--config.file=" + config,
                          "--storage.tsdb.path=" + folder.path() + "/data",
                          text("--web.listen-address=127.0.0.1:{}", port)});
  std::string last_line;
  const auto when_ready = text(
      "Prometheus watches {} at http://127.0.0.1:{} ; Ctrl-C ends it, and what it keeps goes with "
      "it",
      arguments.run,
      port);
  if (watch(prometheus, when_ready, &last_line)) return 0;
  throw Error(Exit::kFailed, "Prometheus ended by itself; its last line: " + last_line);
}

}  // namespace

void add_monitor(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "monitor", "Start the installed Prometheus for a run, with its metrics and our alerts");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("run", arguments->run, "Folder of a training run")->required();
  command
      ->add_option("--port",
                   arguments->port,
                   text("To listen on, at 127.0.0.1; default: {}, or any free one", kUsualPort))
      ->check(CLI::Range(1, 65535));
  command->callback([arguments, &action] { action = [arguments] { return monitor(*arguments); }; });
}

}  // namespace stc::launcher
