// `stc bench step2`: one training step of step 2 on random clips, without a loader.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "dist/communicator.h"
#include "dist/device.h"
#include "dist/gradient_reducer.h"
#include "dist/run_together.h"
#include "launcher/checks/bench.h"
#include "launcher/training/optimizer.h"
#include "models/temporal_model.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

struct Arguments {
  int depth = 18;
  std::int64_t size = 256, batch = 2;
  int steps = 4, threads = 1;
  std::string device = "cpu";
  bool json = false;
};

models::TemporalModel::Batch random_clips(const Arguments& arguments, at::Device device) {
  at::manual_seed(0);
  const std::vector<std::int64_t> shape = {arguments.batch, 2, 3, arguments.size, arguments.size};
  models::TemporalModel::Batch batch;
  batch.rgb = at::randn(shape).to(device);
  batch.lab = (at::rand(shape) - 0.5).to(device);
  return batch;
}

// The fastest of the steps, after one that warms up; over all ranks where there are several.
double seconds_per_step(const Arguments& arguments, dist::Communicator& world, at::Device device) {
  models::TemporalOptions options;
  options.depth = options.teacher_depth = arguments.depth;
  options.losses = models::with_preset({}, "paper_code");
  models::TemporalModel model(options, /*seed=*/0);
  model.to(device, at::kFloat);
  const auto batch = random_clips(arguments, device);
  dist::GradientReducer reducer(model.student.parameters(), world, {});
  Optimizer optimizer({OptimizerKind::kAdam}, model.student.parameters());
  models::SumOverRanks sum;
  if (world.size() > 1) sum = [&world](const at::Tensor& t) { world.all_reduce(t); };
  double fastest = std::numeric_limits<double>::infinity();
  for (int step = 0; step <= arguments.steps; ++step) {
    world.barrier();
    const auto start = std::chrono::steady_clock::now();
    reducer.zero();
    const auto losses = model.losses(batch, sum, world.size());
    reducer.backward(losses.total);
    optimizer.step(1e-5);
    losses.total.item<double>();  // on a GPU: until it is computed
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    if (step > 0) fastest = std::min(fastest, taken.count());
  }
  return fastest;
}

int measure(const Arguments& arguments, dist::Session& session) {
  log::open(session.world().rank, session.world().size);
  at::set_num_threads(arguments.threads);
  const auto device = dist::choose_device(arguments.device);
  const auto world = dist::make_communicator(session, device, {});
  const double seconds = seconds_per_step(arguments, *world, at::Device(device));
  if (!world->is_root()) return 0;
  nlohmann::ordered_json result;
  result["benchmark"] = "step2";
  result["depth"] = arguments.depth;
  result["size"] = arguments.size;
  result["batch"] = arguments.batch;
  result["ranks"] = world->size();
  result["threads"] = arguments.threads;
  result["device"] = device;
  result["seconds_per_step"] = seconds;
  if (!arguments.json) {
    std::cout << text("step 2, ResNet-{}, {} clips of {} pixels a rank: {} ms a step\n",
                      arguments.depth,
                      arguments.batch,
                      arguments.size,
                      1000 * seconds);
  }
  std::cout << result.dump() << "\n";
  return 0;
}

}  // namespace

void add_bench_step2(CLI::App& bench, Run& run) {
  auto* command = bench.add_subcommand(
      "step2", "A step of step 2 (both networks, losses, backward, update) on random clips");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--depth", arguments->depth, "Of student and teacher")
      ->check(CLI::IsMember({18, 50}));
  command->add_option("--size", arguments->size, "Side in pixels, a multiple of 32")
      ->check(CLI::PositiveNumber);
  command->add_option("--batch", arguments->batch, "Clips a rank")->check(CLI::PositiveNumber);
  command->add_option("--steps", arguments->steps, "Timed ones, after one that warms up")
      ->check(CLI::PositiveNumber);
  command->add_option("--threads", arguments->threads, "Compute threads a rank")
      ->check(CLI::PositiveNumber);
  command->add_option("--device", arguments->device, "cpu, cuda or auto");
  command->add_flag("--json", arguments->json, "Print the JSON line alone");
  command->callback([arguments, &run] {
    run = [arguments] {
      STC_CHECK_USAGE(
          arguments->size % 32 == 0, "--size is {}; expected a multiple of 32", arguments->size);
      return dist::run_over_ranks(
          [&](dist::Session& session) { return measure(*arguments, session); });
    };
  });
}

}  // namespace stc::launcher
