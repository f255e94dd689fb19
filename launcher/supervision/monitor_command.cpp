// `stc monitor`: starts the installed Prometheus for one run, until it is stopped.
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <toml++/toml.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "alert_rules.h"  // written by the build from monitoring/alerts/stc.yml
#include "data/file.h"
#include "launcher/commands.h"
#include "launcher/run_folder/scratch_folder.h"
#include "launcher/supervision/worker_group.h"
#include "monitoring/check.h"
#include "monitoring/json_text.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;

constexpr int kDefaultPort = 9090;

struct Arguments {
  std::string run;
  int port = 0;  // 0: the default one, or any free one if it is taken
};

toml::table read_config(const std::string& run) {
  const auto file = run + "/config.toml";
  STC_CHECK_USAGE(
      fs::exists(file),
      "{} is not a run folder: it has no config.toml; expected the run.dir of a training",
      run);
  try {
    return toml::parse_file(file);
  } catch (const toml::parse_error& error) {
    throw Error(Exit::kUsage, text("{}: {}", file, error.description()));
  }
}

/// The content of prometheus.yml: scrapes every rank that `run`'s file_sd.json lists, with the
/// user and password file of its config.toml if it has them, and loads the rules of `rules`.
std::string prometheus_config(const std::string& run, const std::string& rules) {
  for (const auto& path : {fs::absolute(run), fs::absolute(rules)})
    STC_CHECK_USAGE(
        escaped(path.string()) == path.string(),
        "{}: is not a UTF-8 name, and Prometheus's configuration cannot hold any other; "
        "rename the folder, or give a link to it",
        path.string());
  const auto table = read_config(run);
  const auto metrics = table["metrics"];
  STC_CHECK_USAGE(metrics["port"].value_or(std::string()) != "off",
                  "metrics are switched off in {} (metrics.port is off); nothing can be watched",
                  run);
  nlohmann::ordered_json job;
  job["job_name"] = "stc";
  job["file_sd_configs"] = {
      {{"files", {fs::absolute(run) / "file_sd.json"}}, {"refresh_interval", "2s"}}};
  if (const auto user = metrics["user"].value_or(std::string()); !user.empty()) {
    const auto password = unescaped(metrics["password_file"].value_or(std::string()));
    job["basic_auth"] = {{"username", user}, {"password_file", fs::absolute(password)}};
  }
  // Every JSON is YAML.
  nlohmann::ordered_json config;
  config["global"] = {{"scrape_interval", "2s"}, {"evaluation_interval", "2s"}};
  config["rule_files"] = {fs::absolute(rules)};
  config["scrape_configs"] = {job};
  return json_text(config, 1) + "\n";
}

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

// The port itself if it is free, any free one for 0; else 0.
int free_port(int port) {
  const data::Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int yes = 1;
  ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  auto* const any = reinterpret_cast<sockaddr*>(&address);
  socklen_t size = sizeof address;
  const bool bound =
      ::bind(socket.number(), any, size) == 0 && ::getsockname(socket.number(), any, &size) == 0;
  return bound ? ntohs(address.sin_port) : 0;
}

int choose_port(int asked) {
  if (const int free = free_port(asked == 0 ? kDefaultPort : asked)) return free;
  STC_CHECK_USAGE(asked == 0, "--port {} is taken; leave --port out for any free one", asked);
  return free_port(0);
}

struct PrometheusEnd {
  bool was_asked = false;  // by a signal to this process
  std::string last_line;
};

PrometheusEnd watch(WorkerGroup& prometheus, const std::string& when_ready) {
  PrometheusEnd end;
  WatchedSignals signals{SIGINT, SIGTERM};
  while (prometheus.running()) {
    std::array<pollfd, 2> ready{
        {{prometheus.output(), POLLIN, 0}, {signals.descriptor(), POLLIN, 0}}};
    ::poll(ready.data(), ready.size(), 100);
    for (const auto& line : prometheus.read_lines()) {
      if (line.find("Server is ready") != std::string::npos) log::info("{}", when_ready);
      end.last_line = line;
    }
    if (!signals.next()) continue;
    prometheus.signal(end.was_asked ? SIGKILL : SIGTERM);
    end.was_asked = true;
  }
  for (const auto& line : prometheus.read_lines()) end.last_line = line;
  return end;
}

int monitor(const Arguments& arguments) {
  const auto program = find_program("prometheus");
  const ScratchFolder folder(temporary_parent(), "what Prometheus keeps (TMPDIR)");
  const auto rules = folder.path() + "/stc.yml", config = folder.path() + "/prometheus.yml";
  data::write_text(rules, kAlertRules);
  data::write_text(config, prometheus_config(arguments.run, rules));
  const int port = choose_port(arguments.port);
  WorkerGroup prometheus({program,
                          "--config.file=" + config,
                          "--storage.tsdb.path=" + folder.path() + "/data",
                          text("--web.listen-address=127.0.0.1:{}", port)});
  const auto when_ready =
      text("Prometheus watches {} at http://127.0.0.1:{} ; Ctrl-C ends it and deletes its data",
           arguments.run,
           port);
  const auto end = watch(prometheus, when_ready);
  if (end.was_asked) return 0;
  throw Error(Exit::kFailed, "Prometheus ended by itself; its last line: " + end.last_line);
}

}  // namespace

void add_monitor(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "monitor", "Start the installed Prometheus for a run, with its metrics and stc's alerts");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("run", arguments->run, "Folder of a training run")->required();
  command->option_defaults()->group("Machine");
  command
      ->add_option("--port",
                   arguments->port,
                   text("Port on 127.0.0.1; default: {}, or any free one", kDefaultPort))
      ->check(CLI::Range(1, 65535));
  command->footer(
      "Examples:\n"
      "  stc monitor runs/demo/step1\n"
      "  stc monitor runs/demo/step1 --port 9091");
  command->callback([arguments, &action] { action = [arguments] { return monitor(*arguments); }; });
}

}  // namespace stc::launcher
