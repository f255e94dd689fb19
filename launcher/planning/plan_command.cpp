// stc plan: a dry run of N ranks without N processes.
#include <toml++/toml.h>
#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>

#include "launcher/commands.h"
#include "launcher/config/usage_error.h"
#include "launcher/planning/plan_report.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

struct Arguments {
  std::string method;
  std::string config;
  std::vector<std::string> overrides;
  std::vector<int> worlds = {8, 64, 512, 4096};
  std::string fabric;
  std::string gpu = "a100";
  double step_seconds = 0;
  bool json = false;
};

// Sections that only one of the two methods has.
std::string method_of(const std::string& config) {
  if (config.empty()) return "pretrain";
  try {
    const auto table = toml::parse_file(config);
    return table.contains("clips") || table.contains("losses") ? "train" : "pretrain";
  } catch (const toml::parse_error& error) {
    throw Error(Exit::kUsage, text("{}: {}", config, error.description()));
  }
}

ComputeTime time_of(const Arguments& arguments,
                    const TrainOptions& options,
                    const ScalingPlan& plan) {
  if (arguments.step_seconds > 0) return {arguments.step_seconds, "as given by --step-seconds"};
  return compute_time(arguments.gpu,
                      {plan.method, plan.depth, plan.size, plan.run.batch, options.precision});
}

/// The networks to predict for, between nodes of such GPUs.
std::vector<Fabric> fabrics_of(const Arguments& arguments) {
  auto chosen =
      arguments.fabric.empty() ? fabrics() : std::vector<Fabric>{fabric_named(arguments.fabric)};
  for (Fabric& fabric : chosen) fabric.within_node = bandwidth_within_node(arguments.gpu);
  return chosen;
}

std::int64_t size_of(const PretrainOptions& options) { return options.images.size; }
std::int64_t size_of(const VideoTrainOptions& options) { return options.clips.size; }

/// Step 2 can be planned before step 1 has run: of the teacher only the depth counts.
void settle_teacher(VideoTrainOptions& options) {
  if (options.teacher.empty() || std::filesystem::exists(options.teacher)) return;
  log::info("model.teacher {} is not there yet; a ResNet-{}, as the student, is assumed",
            options.teacher,
            options.depth);
  options.teacher.clear();
}
void settle_teacher(PretrainOptions&) {}

// A dry run needs no run folder, no data and no teacher's weights.
template <typename Options>
void check(Options options, int world) {
  for (std::string* path : {&options.run_dir, &options.shards}) {
    if (path->empty()) *path = "none";
  }
  if constexpr (std::is_same_v<Options, VideoTrainOptions>) {
    if (options.teacher.empty()) options.teacher = "none";
  }
  options.check(world);
}

template <typename Options>
int plan_of(const Arguments& arguments, const std::string& method) {
  Configuration<Options> configuration;
  configuration.schema.read(arguments.config, arguments.overrides);
  auto& options = configuration.options;
  options.init.clear();
  settle_teacher(options);
  check(options, arguments.worlds.front());

  ScalingPlan plan;
  plan.method = method;
  plan.depth = options.depth;
  plan.size = size_of(options);
  plan.worlds = arguments.worlds;
  plan.log_every = options.log_every;
  plan.run = scaled_dry_run(options, plan.worlds.front());
  plan.compute = time_of(arguments, options, plan);
  plan.predictions = predict(plan, fabrics_of(arguments));
  std::fputs((arguments.json ? plan_json(plan) : plan_text(plan)).c_str(), stdout);
  return 0;
}

int plan(Arguments arguments) {
  for (const int world : arguments.worlds)
    STC_CHECK_USAGE(world >= 2, "--world is {}; expected 2 ranks or more", world);
  if (arguments.method.empty()) arguments.method = method_of(arguments.config);
  for (const auto& argument : arguments.overrides) {
    STC_CHECK_USAGE(argument.starts_with("--") && argument.find('.') != std::string::npos,
                    "stc plan: unknown argument '{}'; expected pretrain or train, an option of "
                    "`stc plan -h`, or --section.key=value",
                    argument);
  }
  return arguments.method == "pretrain" ? plan_of<PretrainOptions>(arguments, "pretrain")
                                        : plan_of<VideoTrainOptions>(arguments, "train");
}

void add_machine_options(CLI::App& command, Arguments& arguments) {
  command.option_defaults()->group("Machine");
  command
      .add_option("--world",
                  arguments.worlds,
                  "Numbers of ranks, e.g. 8,64,512; train.batch_size is for the first and grows in "
                  "proportion")
      ->delimiter(',')
      ->capture_default_str();
  command.add_option(
      "--fabric", arguments.fabric, "nvlink+8x200, nvlink+1x100 or nvlink+25gbe; default: all");
  command
      .add_option("--gpu", arguments.gpu, "Assume the speed of this GPU: a100, v100, h100 or h200")
      ->capture_default_str();
  command
      .add_option("--step-seconds",
                  arguments.step_seconds,
                  "Measured seconds per step of one rank, instead of an assumed time")
      ->check(above_zero());
}

}  // namespace

void add_plan(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand("plan", "Dry run of N ranks: memory, bytes sent, step time");
  command->footer(
      "Examples:\n"
      "  stc plan --config configs/paper/pretrain_r50.toml --world 8,64,512\n"
      "  stc plan train --world 8 --train.batch_size=32 --step-seconds 0.4 --json\n"
      "  stc plan train --world 8,64 --gpu h200 --run.precision=bf16\n"
      "Any configuration key can be given as --section.key=value; `stc pretrain --keys` and\n"
      "`stc train --keys` list them.");
  command->add_option("method", arguments->method, "pretrain or train; default: as in the config")
      ->check(CLI::IsMember({"pretrain", "train"}));
  command->option_defaults()->group("Input");
  command->add_option("--config", arguments->config, "Configuration file (TOML)");
  add_machine_options(*command, *arguments);
  command->option_defaults()->group("Output");
  command->add_flag("--json", arguments->json, "Print JSON");
  command->allow_extras();
  command->callback([arguments, command, &action] {
    arguments->overrides = command->remaining();
    action = [arguments] { return plan(*arguments); };
  });
}

}  // namespace stc::launcher
