// stc: the command table and the exit codes. The only place that catches errors.
#include <sys/prctl.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

#include "dist/heartbeat.h"
#include "launcher/commands.h"
#include "launcher/config/usage_error.h"
#include "launcher/process_start.h"
#include "launcher/version.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace {

using namespace stc;
using namespace stc::launcher;

constexpr char kOverview[] =
    "Examples:\n"
    "  stc pack images photos --out shards/images\n"
    "  stc pretrain --config configs/demo/pretrain.toml --data.shards=shards/images "
    "--run.dir=step1\n"
    "  stc eval davis --data DAVIS --weights step1 --out eval-step1\n"
    "  stc report step1 eval-step1 --out report.html\n"
    "`stc COMMAND -h` describes a command, with examples.\n"
    "Exit codes: 0 success, 1 the run failed, 2 wrong usage or configuration, 3 bad data,\n"
    "4 a rank hung or was lost, 128 + N stopped by signal N after saving a checkpoint.";

// In the order of `stc -h`: data, training, evaluation, the rest.
void add_commands(CLI::App& app, Action& action) {
  for (auto* add : {add_pack, add_verify, add_synthesize}) add(app, action);
  for (auto* add : {add_pretrain, add_train, add_launch, add_slurm}) add(app, action);
  for (auto* add : {add_eval, add_sweep, add_propagate, add_score, add_report}) add(app, action);
  for (auto* add : {add_monitor, add_parity, add_export, add_import}) add(app, action);
  for (auto* add : {add_doctor, add_plan, add_bench}) add(app, action);
}

int usage_error(const std::string& message) {
  log::error("{}", message);
  return static_cast<int>(Exit::kUsage);
}

int run_command(const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    log::error("{}", error.what());
    return static_cast<int>(error.exit());
  } catch (const std::bad_alloc&) {
    log::error("out of memory; use a smaller batch, fewer loader threads, or a larger machine");
  } catch (const std::filesystem::filesystem_error& error) {
    log::error("{}: {}", error.path1().string(), error.code().message());
    // A link that leads to itself is what was given, not what failed.
    if (error.code() == std::errc::too_many_symbolic_link_levels)
      return static_cast<int>(Exit::kBadData);
  } catch (const std::exception& error) {
    log::error("{}", first_line(error.what()));
  }
  return static_cast<int>(Exit::kFailed);
}

/// The arguments after the program's name, with the -- that `stc launch [OPTIONS] COMMAND ...`
/// lacks. Every option of launch takes a value.
std::vector<std::string> arguments_of(int argc, char** argv) {
  std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.front() != "launch") return arguments;
  for (std::size_t i = 1; i < arguments.size() && arguments[i] != "--"; ++i) {
    const auto& before = arguments[i - 1];
    const bool is_value = before.starts_with('-') && before.find('=') == std::string::npos;
    if (is_value || arguments[i].starts_with('-')) continue;
    arguments.insert(arguments.begin() + static_cast<std::ptrdiff_t>(i), "--");
    break;
  }
  return arguments;
}

bool computes(int argc, char** argv) {
  const std::string command = argc > 1 ? argv[1] : "";
  for (const char* name : {"pretrain", "train", "eval", "sweep", "propagate", "bench", "parity"})
    if (command == name) return true;
  return false;
}

// A worker whose mpirun was killed would otherwise wait for the others until its time-out, and keep
// the run locked.
void end_with_parent() {
  if (std::getenv(dist::kLaunchVariable) != nullptr) prctl(PR_SET_PDEATHSIG, SIGKILL);
}

}  // namespace

int main(int argc, char** argv) {
  end_with_parent();
  if (computes(argc, argv)) start_with_settings(argv);
  // Writing past a file size limit is then an error, like a full disk, and does not end the
  // process.
  std::signal(SIGXFSZ, SIG_IGN);
  CLI::App app("stc learns features for video correspondence without labels, and evaluates them.");
  Action action;
  app.name("stc");
  app.set_version_flag("--version",
                       version_text,
                       "Print the versions of stc and LibTorch, and whether CUDA is built in");
  app.require_subcommand(1);
  add_commands(app, action);
  app.footer(kOverview);  // after the commands, which would inherit it
  if (argc < 2) {
    std::cerr << app.help();
    return usage_error("no command given; `stc -h` lists every command");
  }
  try {
    auto arguments = arguments_of(argc, argv);
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    app.parse(arguments);
  } catch (const CLI::Success& asked_for_text) {
    return app.exit(asked_for_text);
  } catch (const CLI::ParseError& error) {
    return usage_error(what_is_wrong(app, error));
  }
  return run_command(action);
}
