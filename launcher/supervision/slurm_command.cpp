// `stc slurm submit`: the configuration of a job is checked before it waits in a queue.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "launcher/commands.h"
#include "launcher/config/usage_error.h"
#include "launcher/training/train_options.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;

using Words = std::vector<std::string>;

struct Arguments {
  std::string method;
  std::string config;
  Words overrides;
  int nodes = 1;
  int gpus_per_node = 0;
  int tasks_per_node = 0;  ///< 0: one per GPU
  int cpus_per_task = 1;
  std::string time;
  Words sbatch;  ///< further options for it
  std::string scripts;
  bool dry_run = false;
};

fs::path own_program() { return fs::read_symlink("/proc/self/exe"); }

// Above the program: in the source tree (build/release/bin/stc), or installed next to it.
fs::path find_scripts() {
  for (auto folder = own_program().parent_path(); folder.has_relative_path();
       folder = folder.parent_path()) {
    for (const char* place : {"slurm", "share/stc/slurm"})
      if (fs::exists(folder / place / "train.sbatch")) return folder / place;
  }
  throw Error(Exit::kUsage,
              text("no batch scripts in slurm/ or share/stc/slurm/ above {}; give --scripts FOLDER",
                   own_program().string()));
}

fs::path script_of(const Arguments& arguments) {
  const auto folder = arguments.scripts.empty() ? find_scripts() : fs::absolute(arguments.scripts);
  auto script = folder.lexically_normal() / "train.sbatch";
  STC_CHECK_USAGE(fs::exists(script), "{}: no such file; check --scripts", script.string());
  return script;
}

void check_words(const Arguments& arguments) {
  for (const auto& word : arguments.overrides) {
    const auto name = word.substr(0, word.find('='));
    STC_CHECK_USAGE(name.starts_with("--") && name.find('.') != std::string::npos,
                    "stc slurm submit: unknown argument '{}'; expected an option that -h lists, "
                    "--section.key=value, or, after --, options of sbatch",
                    word);
  }
  for (const auto& word : arguments.sbatch)
    STC_CHECK_USAGE(word.starts_with('-'),
                    "stc slurm submit: '{}' is not an option of sbatch; expected --name=value",
                    word);
}

void check_devices(const Arguments& arguments, const TrainOptions& options) {
  const int gpus = arguments.gpus_per_node;
  STC_CHECK_USAGE(gpus == 0 || arguments.tasks_per_node <= gpus,
                  "--ntasks-per-node is {}, but --gpus-per-node is {}, and two ranks on one GPU "
                  "hang; leave --ntasks-per-node out for one rank per GPU",
                  arguments.tasks_per_node,
                  gpus);
  STC_CHECK_USAGE(options.device != "cpu" || gpus == 0,
                  "--gpus-per-node is {}, but run.device is cpu; leave --gpus-per-node out, or "
                  "give --run.device=cuda",
                  gpus);
  STC_CHECK_USAGE(options.device != "cuda" || gpus > 0,
                  "run.device is cuda, but the job asks for no GPU; give --gpus-per-node");
}

// A warning only: another job may create it before this one starts.
void warn_if_missing(const std::string& key, const std::string& path) {
  if (!path.empty() && !fs::exists(path)) log::warning("{}: {} does not exist yet", key, path);
}

void describe(const Arguments& arguments, const TrainOptions& options) {
  const int ranks = arguments.nodes * arguments.tasks_per_node;
  log::info("{} on {}{}{} samples per rank and step, run folder {}",
            arguments.method,
            ranks,
            ranks == 1 ? " rank, " : " ranks, ",
            options.batch_size / ranks,
            options.run_dir);
  warn_if_missing("data.shards", options.shards);
  warn_if_missing("model.init", options.init);
}

template <typename Options>
Options check(const Arguments& arguments) {
  Configuration<Options> configuration;
  configuration.read(
      arguments.config, arguments.overrides, arguments.nodes * arguments.tasks_per_node);
  check_devices(arguments, configuration.options);
  describe(arguments, configuration.options);
  return configuration.options;
}

Words command_of(const Arguments& arguments, const fs::path& script) {
  Words words = {"sbatch",
                 text("--nodes={}", arguments.nodes),
                 text("--ntasks-per-node={}", arguments.tasks_per_node),
                 text("--cpus-per-task={}", arguments.cpus_per_task)};
  if (arguments.gpus_per_node > 0)
    words.push_back(text("--gpus-per-node={}", arguments.gpus_per_node));
  if (!arguments.time.empty()) words.push_back(text("--time={}", arguments.time));
  words.insert(words.end(), arguments.sbatch.begin(), arguments.sbatch.end());
  words.push_back(script.string());
  words.push_back(arguments.method);
  if (!arguments.config.empty()) words.insert(words.end(), {"--config", arguments.config});
  words.insert(words.end(), arguments.overrides.begin(), arguments.overrides.end());
  return words;
}

// Quoted for a shell if need be.
std::string quoted(const std::string& word) {
  constexpr char kPlain[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:=,@%+-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

int submit(Arguments arguments) {
  check_words(arguments);
  if (arguments.tasks_per_node == 0)
    arguments.tasks_per_node = std::max(1, arguments.gpus_per_node);
  if (arguments.method == "pretrain") {
    check<PretrainOptions>(arguments);
  } else {
    warn_if_missing("model.teacher", check<VideoTrainOptions>(arguments).teacher);
  }
  const auto script = script_of(arguments);
  const auto command = command_of(arguments, script);
  // Read by the script; sbatch passes them on.
  const std::pair<const char*, std::string> variables[] = {
      {"STC", own_program().string()}, {"STC_SLURM", script.parent_path().string()}};
  std::string line;
  for (const auto& [name, value] : variables) line += text("{}={} ", name, quoted(value));
  for (const auto& word : command) line += quoted(word) + " ";
  line.back() = '\n';
  std::fputs(line.c_str(), stdout);
  std::fflush(stdout);
  if (arguments.dry_run) return 0;

  for (const auto& [name, value] : variables) setenv(name, value.c_str(), 1);
  std::vector<char*> words;
  for (const auto& word : command) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  execvp(words[0], words.data());
  throw Error(Exit::kUsage,
              text("sbatch cannot be started: {}; submit on a login node of the cluster, or load "
                   "its module (--dry-run only shows the command)",
                   std::strerror(errno)));
}

// Named as sbatch names them.
void add_size_options(CLI::App* command, Arguments* arguments) {
  command->add_option("--nodes", arguments->nodes, "Number of nodes")
      ->check(above_zero())
      ->capture_default_str();
  command
      ->add_option(
          "--gpus-per-node", arguments->gpus_per_node, "GPUs per node; 0: train on the CPU")
      ->check(zero_or_more())
      ->capture_default_str();
  command
      ->add_option("--ntasks-per-node",
                   arguments->tasks_per_node,
                   "Ranks per node; default: one per GPU, or 1 on the CPU")
      ->check(above_zero());
  command
      ->add_option("--cpus-per-task",
                   arguments->cpus_per_task,
                   "Cores per rank, its loader threads included")
      ->check(above_zero())
      ->capture_default_str();
  command->add_option(
      "--time",
      arguments->time,
      "Time limit of one job as sbatch takes it, e.g. 24:00:00; default: the partition's");
}

std::string example_of(const std::string& method) {
  return "  stc slurm submit " + method +
         " --config my.toml --nodes 4 --gpus-per-node 8 --time 24:00:00 --run.dir=runs/first";
}

void add_submit(CLI::App* submit_command, const std::string& method, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  arguments->method = method;
  auto* command = submit_command->add_subcommand(
      method, "Submit a job that runs `stc " + method + "` and requeues itself");
  command->option_defaults()->group("Input");
  command->add_option("--config", arguments->config, "Configuration file (TOML)");
  command->option_defaults()->group("Machine");
  add_size_options(command, arguments.get());
  command->add_option("--scripts",
                      arguments->scripts,
                      "Folder with train.sbatch; default: the one of this installation");
  command->add_flag(
      "--dry-run", arguments->dry_run, "Check the job and show the command without submitting");
  command->add_option(
      "sbatch", arguments->sbatch, "After --: further options for sbatch, e.g. -- --partition=gpu");
  command->allow_extras();
  const auto example = example_of(method);
  command->footer("Examples:\n" + example + "\n" + example +
                  " --dry-run\n"
                  "Any configuration key can be given as --section.key=value; `stc " +
                  method + " --keys` lists them.");
  command->callback([arguments, command, &action] {
    arguments->overrides = command->remaining();
    std::erase(arguments->overrides, "--");
    action = [arguments] { return submit(*arguments); };
  });
}

}  // namespace

void add_slurm(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("slurm", "Submit training jobs to a Slurm cluster");
  command->require_subcommand(1);
  auto* submit_command =
      command->add_subcommand("submit", "Check a job, show its sbatch command and submit it");
  submit_command->require_subcommand(1);
  for (auto* parent : {command, submit_command})
    parent->footer("Examples:\n" + example_of("pretrain"));
  for (const char* method : {"pretrain", "train"}) add_submit(submit_command, method, action);
}

}  // namespace stc::launcher
