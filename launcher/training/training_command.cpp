// `stc pretrain` and `stc train`: reads what to do, wires it, runs it; the same straight line for
// both.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "data/shards/shard_copy.h"
#include "dist/device.h"
#include "dist/heartbeat.h"
#include "dist/run_together.h"
#include "launcher/commands.h"
#include "launcher/run_folder/run_folder.h"
#include "launcher/training/method.h"
#include "launcher/training/trainer.h"
#include "launcher/training/training_arithmetic.h"
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

template <typename Options>
void read(const Arguments& arguments, const dist::World& world, Configuration<Options>* out) {
  out->read(arguments.config, arguments.overrides, world.size);
  auto& options = out->options;
  if (options.threads == 0) {
    options.threads = world.owns_cores ? world.cores : std::max(1, world.cores / world.local_size);
  }
  if (options.deterministic && options.device != "cpu" && at::hasCUDA())
    models::fix_cublas_workspace();
}

// Rank 0 alone reads the run folder, so it decides for all.
TrainingArithmetic agree_on_arithmetic(dist::Communicator& host_ranks,
                                       bool fresh,
                                       TrainOptions* options) {
  TrainingArithmetic agreed;
  dist::run_on_root(host_ranks, [&] {
    const auto recorded = fresh ? "" : RunFolder::recorded_config(options->run_dir);
    agreed = decide_arithmetic(*options, recorded);
  });
  for (auto* decided : {&agreed.precision, &agreed.memory_format}) {
    for (auto* word : {&decided->value, &decided->by})
      *word = dist::gather_lines(host_ranks, *word).front();
  }
  options->precision = agreed.precision.value;
  options->memory_format = agreed.memory_format.value;
  models::apply_arithmetic_flags(flags_of(*options));
  return agreed;
}

void describe(const dist::World& world,
              const TrainOptions& options,
              const TrainingArithmetic& arithmetic) {
  for (const auto& note : arithmetic.notes) log::info("{}", note);
  log::info("{}{} on {}, {}{} per rank, {} samples per rank and step, {}",
            world.size,
            world.size == 1 ? " rank" : " ranks",
            options.device,
            options.threads,
            options.threads == 1 ? " thread" : " threads",
            options.batch_size / world.size,
            describe(arithmetic, options.deterministic));
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
                        dist::Communicator& host_ranks,
                        TrainOptions* options) {
  constexpr double kNoTimeout = 30 * 86400;
  host_ranks.set_timeout(kNoTimeout);
  dist::run_on_all_ranks(host_ranks, [&] {
    if (place.local_rank != 0) return;
    const auto bytes = data::copy_shards(options->shards, options->local_disk);
    log::info(
        "{}",
        bytes == 0
            ? text("{}: is in {} already", options->shards, options->local_disk)
            : text("{}: copied to {}, {} MiB", options->shards, options->local_disk, bytes >> 20));
  });
  dist::run_on_all_ranks(host_ranks, [&] {
    options->shards = data::path_of_copy(options->shards, options->local_disk);
  });
}

// Opens the run's folder on rank 0. Null on the other ranks, and when the run is finished already,
// which `finished` says on all.
struct OpenedRun {
  std::unique_ptr<RunFolder> folder;
  bool finished = false;
};

OpenedRun open_run(dist::Communicator& host_ranks,
                   const std::string& run_dir,
                   const ConfigSchema& schema,
                   bool fresh,
                   const EarlierValues& read_as) {
  OpenedRun run;
  const auto finished = at::zeros({1}, at::kLong);
  dist::run_on_root(host_ranks, [&] {
    run.folder = RunFolder::open(run_dir, schema, fresh, read_as);
    if (run.folder->state() != RunState::kFinished) return;
    finished.fill_(1);
    log::info("{} is already finished; --fresh moves it aside and trains again", run_dir);
  });
  host_ranks.broadcast(finished, 0);
  run.finished = finished.item<std::int64_t>() != 0;
  return run;
}

// Step 2 sums over ranks within each layer of forward and backward: behind gradients, in one group
// with them, the next layer would wait for whole buckets. Two NCCL groups on one GPU cannot block
// each other: one thread of each rank launches the collectives of both, in the order of the same
// graph, and each takes a few of the GPU's processors only. The first sum of a run, in forward,
// connects the group, before there are gradients.
template <typename Options>
std::shared_ptr<dist::Communicator> ranks_of_method(
    const dist::Session& session,
    at::Device device,
    const TrainOptions& options,
    const std::shared_ptr<dist::Communicator>& device_ranks) {
  if (device.is_cpu() || !std::is_same_v<Options, VideoTrainOptions>) return device_ranks;
  return dist::make_communicator(session, device, {options.timeout_seconds, true});
}

template <typename Options>
int train(const std::string& name, const Arguments& arguments, dist::Session& session) {
  const dist::World& place = session.world();
  log::open(place.rank, place.size);
  const auto host_ranks = dist::make_communicator(session, at::kCPU, {});
  Configuration<Options> configuration;
  auto& options = configuration.options;
  dist::run_on_all_ranks(*host_ranks, [&] { read(arguments, place, &configuration); });
  const at::Device device = dist::choose_device(options.device, *host_ranks);
  options.device = dist::device_word(device);
  at::set_num_threads(options.threads);
  const auto arithmetic = agree_on_arithmetic(*host_ranks, arguments.fresh, &options);

  const auto run = open_run(
      *host_ranks, options.run_dir, configuration.schema, arguments.fresh, arithmetic.read_as);
  if (run.finished) return 0;
  auto file = options.log;
  file.path = text("{}/log/rank-{}.log", options.run_dir, place.rank);
  log::open(place.rank, place.size, file);
  describe(place, options, arithmetic);

  if (!options.local_disk.empty()) copy_to_local_disk(place, *host_ranks, &options);
  host_ranks->set_timeout(options.timeout_seconds);
  const auto device_ranks =
      device.is_cpu() ? host_ranks
                      : dist::make_communicator(session, device, {options.timeout_seconds});
  const auto method_ranks = ranks_of_method<Options>(session, device, options, device_ranks);
  const dist::Heartbeat heartbeat(*host_ranks, heartbeat_options(options, session));
  const TrainingJob job{
      name, options, device, *host_ranks, *device_ranks, *session.log(), run.folder.get()};
  std::unique_ptr<TrainingMethod> method;
  dist::run_on_all_ranks(*host_ranks,
                         [&] { method = make_method(options, *method_ranks, device); });
  std::unique_ptr<Trainer> trainer;
  dist::run_on_all_ranks(*host_ranks, [&] { trainer = std::make_unique<Trainer>(job, *method); });
  return with_unrepeatable_named([&] { return trainer->run(); });
}

// An argument that cannot be a key is a mistyped option of the command itself.
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
  command->add_option("--config", arguments->config, "Configuration file (TOML)");
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
           "Any configuration key can be given as --section.key=value; --keys lists them.",
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
