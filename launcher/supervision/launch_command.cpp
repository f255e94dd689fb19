// `stc launch`: one worker per GPU, or N on the CPU, under mpirun and supervised.
#include <unistd.h>

#include <toml++/toml.h>
#include <CLI/CLI.hpp>
#include <filesystem>

#include "dist/versions.h"
#include "launcher/commands.h"
#include "launcher/config/usage_error.h"
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

// The log folder of the run, as far as the launcher can tell; the workers report faults of the
// configuration file.
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

// Checked, with the number of ranks filled in.
WorkerPlacement placement_of(const Arguments& arguments) {
  auto placement = arguments.launch.placement;
  const bool several_nodes = !placement.hosts.empty() || !placement.hostfile.empty();
  const bool on_cpu = value_of("--run.device", arguments.launch.command) == "cpu";
  const int gpus = on_cpu ? 0 : static_cast<int>(dist::gpus().size());
  STC_CHECK_USAGE(arguments.ranks > 0 || gpus > 0,
                  "no GPU is found on this node; give --ranks N to run N ranks on the CPU");
  STC_CHECK_USAGE(several_nodes || gpus == 0 || arguments.ranks <= gpus,
                  "--ranks is {}, but this node has {} GPUs and two ranks on one GPU hang; leave "
                  "--ranks out for one rank per GPU, or add --run.device=cpu",
                  arguments.ranks,
                  gpus);
  STC_CHECK_USAGE(!several_nodes || arguments.ranks > 0,
                  "--hosts and --hostfile need --ranks, the number of ranks over all nodes");
  placement.ranks = arguments.ranks > 0 ? arguments.ranks : gpus;
  placement.ranks_per_node = gpus;
  return placement;
}

int launch(const Arguments& arguments) {
  LaunchOptions options = arguments.launch;
  auto& command = options.command;
  STC_CHECK_USAGE(!command.empty(),
                  "no command to launch; e.g. stc launch --ranks 2 -- train --config F");
  STC_CHECK_USAGE(!command.front().starts_with('-'),
                  "stc launch: '{}' is not a command of stc; expected e.g. stc launch --ranks 2 -- "
                  "train --config F",
                  command.front());
  STC_CHECK_USAGE(command.front() != "launch", "stc launch cannot launch itself");
  options.placement = placement_of(arguments);
  if (options.log_folder.empty()) options.log_folder = log_folder(command);
  command.insert(command.begin(), std::filesystem::read_symlink("/proc/self/exe"));
  return LaunchSupervisor(options).run();
}

}  // namespace

void add_launch(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  auto& options = arguments->launch;
  auto* command = app.add_subcommand(
      "launch", "Run a command on one rank per GPU, supervised, restarted when a rank is lost");
  command->add_option("command", options.command, "After --: what each rank runs");
  command->option_defaults()->group("Machine");
  command->add_option("--ranks", arguments->ranks, "Number of ranks; default: one per GPU")
      ->check(above_zero());
  command->add_option(
      "--hosts", options.placement.hosts, "Nodes, as HOST[:SLOTS],...; needs --ranks");
  command
      ->add_option("--hostfile",
                   options.placement.hostfile,
                   "File of nodes in mpirun's format; needs --ranks")
      ->check(CLI::ExistingFile);
  command
      ->add_option(
          "--max-restarts",
          options.max_restarts,
          "After a loss, start all ranks again from the newest complete checkpoint, at most "
          "this many times")
      ->check(zero_or_more())
      ->capture_default_str();
  command->option_defaults()->group("Output");
  command->add_option(
      "--log", options.log_folder, "Folder for what each rank prints; default: RUN/log of the run");
  command->footer(
      "Examples:\n"
      "  stc launch --ranks 2 --max-restarts 3 -- pretrain --config configs/demo/pretrain.toml\n"
      "  stc launch --hosts a,b --ranks 16 -- train --config configs/paper/train_r50.toml");
  command->callback([arguments, &action] { action = [arguments] { return launch(*arguments); }; });
}

}  // namespace stc::launcher
