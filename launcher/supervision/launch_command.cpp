// `stc launch`: one worker a GPU, or N on the CPU, under mpirun and watched over.
#include <unistd.h>

#include <toml++/toml.h>
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>

#include "dist/versions.h"
#include "launcher/commands.h"
#include "launcher/supervision/launch_supervisor.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

struct Arguments {
  int ranks = 0;
  LaunchOptions launch;
};

// The value of --NAME VALUE or --NAME=VALUE among a worker's arguments.
std::string value_of(const std::string& name, const std::vector<std::string>& arguments) {
  std::string value;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (arguments[i] == name && i + 1 < arguments.size()) value = arguments[i + 1];
    if (arguments[i].starts_with(name + "=")) value = arguments[i].substr(name.size() + 1);
  }
  return value;
}

// Where the run keeps its logs, as far as the launcher can tell; the workers report what is wrong
// with a file.
std::string log_folder(const std::vector<std::string>& arguments) {
  std::string run = value_of("--run.dir", arguments);
  const std::string config = value_of("--config", arguments);
  if (run.empty() && !config.empty()) {
    try {
      run = toml::parse_file(config)["run"]["dir"].value_or(std::string());
    } catch (const toml::parse_error&) {
      return "";
    }
  }
  return run.empty() ? "" : run + "/log";
}

void place(Arguments* arguments) {
  auto& placement = arguments->launch.placement;
  const auto& command = arguments->launch.command;
  const bool several_nodes = !placement.hosts.empty() || !placement.hostfile.empty();
  const bool on_cpu = value_of("--run.device", command) == "cpu";
  const int gpus = on_cpu ? 0 : static_cast<int>(dist::gpus().size());
  STC_CHECK_USAGE(arguments->ranks > 0 || gpus > 0,
                  "no GPU is found on this node; give --ranks N to run N ranks on the CPU");
  STC_CHECK_USAGE(several_nodes || gpus == 0 || arguments->ranks <= gpus,
                  "--ranks is {}, but this node has {} GPUs and two ranks on one GPU hang; leave "
                  "--ranks out for one rank a GPU, or add --run.device=cpu",
                  arguments->ranks,
                  gpus);
  STC_CHECK_USAGE(!several_nodes || arguments->ranks > 0,
                  "with --hosts or --hostfile give --ranks, the number over all nodes");
  placement.ranks = arguments->ranks > 0 ? arguments->ranks : gpus;
  placement.ranks_per_node = gpus;
}

int launch(Arguments& arguments) {
  auto& command = arguments.launch.command;
  STC_CHECK_USAGE(!command.empty(),
                  "no command to launch; e.g. stc launch --ranks 2 -- train --config F");
  STC_CHECK_USAGE(command.front() != "launch", "stc launch does not launch itself");
  place(&arguments);
  if (arguments.launch.log_folder.empty()) arguments.launch.log_folder = log_folder(command);
  command.insert(command.begin(), std::filesystem::read_symlink("/proc/self/exe"));
  return LaunchSupervisor(arguments.launch).run();
}

}  // namespace

void add_launch(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  auto& launch_options = arguments->launch;
  auto* command = app.add_subcommand(
      "launch", "Run a command on one rank a GPU, watched over and restarted when a rank is lost");
  command->add_option("--ranks", arguments->ranks, "Number of ranks; default: one a GPU")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--max-restarts",
                   launch_options.max_restarts,
                   "Start all ranks again from the newest whole checkpoint, at most this often")
      ->check(CLI::NonNegativeNumber)
      ->capture_default_str();
  command->add_option("--hosts", launch_options.placement.hosts, "Nodes, as HOST[:SLOTS],...");
  command->add_option("--hostfile", launch_options.placement.hostfile, "Nodes, in mpirun's format")
      ->check(CLI::ExistingFile);
  command->add_option("--log",
                      launch_options.log_folder,
                      "Folder for what each rank prints; default: RUN/log of the run");
  command->add_option("command", launch_options.command, "After --: what each rank runs");
  command->footer("E.g. stc launch --ranks 2 --max-restarts 3 -- train --config my.toml");
  command->callback([arguments, &action] { action = [arguments] { return launch(*arguments); }; });
}

}  // namespace stc::launcher
