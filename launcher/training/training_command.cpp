// `stc pretrain` and `stc train`: reads what to do, wires it, runs it; the same straight line for
// both.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include "data/shards/shard_copy.h"
#include "dist/device.h"
#include "dist/heartbeat.h"
#include "dist/run_together.h"
#include "launcher/commands.h"
#include "launcher/config/configuration.h"
#include "launcher/run_folder/run_folder.h"
#include "launcher/training/method.h"
#include "launcher/training/trainer.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

struct Arguments {
  std::string config;
  std::vector<std::string> overrides;
  bool fresh = false;
  bool list_keys = false;
};

std::unique_ptr<Method> make_method(const PretrainOptions& options,
                                    dist::Communicator& world,
                                    const std::string& device) {
  return make_spatial_method(options, world, device);
}

std::unique_ptr<Method> make_method(const VideoTrainOptions& options,
                                    dist::Communicator& world,
                                    const std::string& device) {
  return make_temporal_method(options, world, device);
}

template <typename Options>
void read(const Arguments& arguments, const dist::World& world, Configuration<Options>* out) {
  out->read(arguments.config, arguments.overrides, world.size);
  auto& options = out->options;
  options.device = dist::choose_device(options.device);
  if (options.threads == 0) {
    options.threads = world.owns_cores ? world.cores : std::max(1, world.cores / world.local_size);
  }
}

void describe(const dist::World& world, const TrainOptions& options) {
  log::info("{}{} on {}, {}{} a rank, {} samples a rank and step",
            world.size,
            world.size == 1 ? " rank" : " ranks",
            options.device,
            options.threads,
            options.threads == 1 ? " thread" : " threads",
            options.batch_size / world.size);
  if (world.cores == 1 && world.size > 1) {
    log::warning(
        "this rank may use one core only, its loader threads included; give mpirun --bind-to none "
        "(or srun --cpus-per-task)");
  }
}

dist::HeartbeatOptions heartbeat_options(const TrainOptions& options, dist::Session& session) {
  return {options.stall_seconds,
          options.timeout_seconds,
          [](const std::string& line) { log::error("{}", line); },
          [&session](const std::string& line) {
            log::error("{}", line);
            session.abort(static_cast<int>(Exit::kLostRank));
          }};
}

// Copying takes as long as it takes, so collectives have no time-out until it is done.
void copy_to_local_disk(const dist::World& place,
                        dist::Communicator& control,
                        TrainOptions* options) {
  constexpr double kNoTimeout = 30 * 86400;
  control.set_timeout(kNoTimeout);
  dist::run_on_all_ranks(control, [&] {
    if (place.local_rank != 0) return;
    const auto bytes = data::copy_shards(options->shards, options->local_disk);
    log::info(
        "{}",
        bytes == 0
            ? text("{}: is in {} already", options->shards, options->local_disk)
            : text("{}: copied to {}, {} MiB", options->shards, options->local_disk, bytes >> 20));
  });
  dist::run_on_all_ranks(
      control, [&] { options->shards = data::path_of_copy(options->shards, options->local_disk); });
}

template <typename Options>
int train(const std::string& name, const Arguments& arguments, dist::Session& session) {
  const dist::World& place = session.world();
  log::open(place.rank, place.size);
  const auto control = dist::make_communicator(session, "cpu", {});
  Configuration<Options> configuration;
  auto& options = configuration.options;
  dist::run_on_all_ranks(*control, [&] { read(arguments, place, &configuration); });
  at::set_num_threads(static_cast<int>(options.threads));

  std::unique_ptr<RunFolder> folder;
  const auto finished = at::zeros({1}, at::kLong);
  dist::run_on_root(*control, [&] {
    folder = RunFolder::open(options.run_dir, configuration.schema, arguments.fresh);
    finished.fill_(folder->state() == RunState::kFinished);
    if (folder->state() == RunState::kFinished) {
      log::info("{} is finished already; --fresh moves it aside and trains anew", options.run_dir);
    }
  });
  control->broadcast(finished, 0);
  if (finished.item<std::int64_t>() != 0) return 0;

  auto file = options.log;
  file.path = text("{}/log/rank-{}.log", options.run_dir, place.rank);
  log::open(place.rank, place.size, file);
  describe(place, options);
  if (!options.local_disk.empty()) copy_to_local_disk(place, *control, &options);
  control->set_timeout(options.timeout_seconds);
  const auto world =
      options.device == "cpu"
          ? control
          : dist::make_communicator(session, options.device, {options.timeout_seconds});
  const dist::Heartbeat heartbeat(*control, heartbeat_options(options, session));
  std::unique_ptr<Method> method;
  dist::run_on_all_ranks(*control, [&] { method = make_method(options, *world, options.device); });
  std::unique_ptr<Trainer> trainer;
  dist::run_on_all_ranks(*control, [&] {
    trainer = std::make_unique<Trainer>(
        Trainer::Setting{name, options, *control, *world, *session.log(), folder.get()}, *method);
  });
  return trainer->run();
}

// What is no key is a mistyped option of the command itself.
void require_key(const std::string& argument, const std::string& command) {
  const auto name = argument.substr(0, argument.find('='));
  STC_CHECK_USAGE(name.starts_with("--") && name.find('.') != std::string::npos,
                  "stc {}: unknown argument '{}'; expected --config FILE, --fresh, --keys, or "
                  "--section.key=value",
                  command,
                  argument);
}

template <typename Options>
void add_training(CLI::App& app, Action& action, const std::string& name, const std::string& what) {
  auto arguments = std::make_shared<Arguments>();
  auto* command = app.add_subcommand(name, what);
  command->option_defaults()->group("Input");
  command->add_option("--config", arguments->config, "TOML file");
  command->option_defaults()->group("Output");
  command->add_flag("--fresh",
                    arguments->fresh,
                    "Move an existing run folder aside and start again instead of resuming it");
  command->add_flag(
      "--keys", arguments->list_keys, "List every key with its range and default, and exit");
  command->allow_extras();
  const auto example =
      text("stc {} --config configs/demo/{}.toml --run.dir=runs/{}", name, name, name);
  command->footer(
      text("Examples:\n  {}\n  mpirun -np 2 --bind-to none {} --train.steps=100\n  stc {} --keys\n"
           "Any key of the file can be given as --section.key=value; --keys lists them.",
           example,
           example,
           name));
  command->callback([arguments, command, name, &action] {
    arguments->overrides = command->remaining();
    action = [arguments, name] {
      for (const auto& argument : arguments->overrides) require_key(argument, name);
      if (arguments->list_keys) {
        std::cout << Configuration<Options>().schema.help();
        return 0;
      }
      return dist::run_over_ranks(
          [&](dist::Session& session) { return train<Options>(name, *arguments, session); });
    };
  });
}

}  // namespace

void add_pretrain(CLI::App& app, Action& action) {
  add_training<PretrainOptions>(
      app, action, "pretrain", "Step 1: contrastive learning on images (MoCo v2)");
}

void add_train(CLI::App& app, Action& action) {
  add_training<VideoTrainOptions>(
      app, action, "train", "Step 2: reconstruction learning on videos");
}

}  // namespace stc::launcher
