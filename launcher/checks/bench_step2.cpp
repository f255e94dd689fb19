// `stc bench step2`: one training step of step 2 on random clips, without a loader.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "dist/communicator.h"
#include "dist/device.h"
#include "dist/gradient_reducer.h"
#include "dist/run_together.h"
#include "launcher/checks/bench.h"
#include "launcher/checks/measurement.h"
#include "launcher/training/optimizer.h"
#include "models/temporal_model.h"
#include "monitoring/log.h"
#include "monitoring/stopwatch.h"

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

double seconds_per_step(const Arguments& arguments, dist::Communicator& world, at::Device device) {
  models::TemporalOptions options;
  options.depth = options.teacher_depth = arguments.depth;
  models::apply_preset("paper_code", &options.losses);
  models::TemporalModel model(options, /*seed=*/0);
  model.to(device, at::kFloat);
  const auto batch = random_clips(arguments, device);
  dist::GradientReducer reducer(model.student.parameters(), world, {});
  Optimizer optimizer({OptimizerKind::kAdam}, model.student.parameters());
  models::SumOverRanks sum;
  if (world.size() > 1) sum = [&world](const at::Tensor& t) { world.all_reduce(t); };
  std::vector<double> rounds;
  for (int step = 0; step <= arguments.steps; ++step) {
    world.barrier();
    const Stopwatch stopwatch;
    reducer.zero();
    const auto losses = model.losses(batch, sum, world.size());
    reducer.backward(losses.total);
    optimizer.step(1e-5);
    losses.total.item<double>();  // on a GPU: until it is computed
    rounds.push_back(stopwatch.seconds());
  }
  return fastest_after_warm_up(rounds);
}

int measure(const Arguments& arguments, dist::Session& session) {
  log::open(session.world().rank, session.world().size);
  at::set_num_threads(arguments.threads);
  const auto device = dist::choose_device(arguments.device);
  const auto world = dist::make_communicator(session, device, {});
  const double seconds = seconds_per_step(arguments, *world, at::Device(device));
  if (!world->is_root()) return 0;
  print_measurement(text("step 2, ResNet-{}, {} clips of {} pixels per rank: {} ms per step",
                         arguments.depth,
                         arguments.batch,
                         arguments.size,
                         1000 * seconds),
                    {{"benchmark", "step2"},
                     {"depth", arguments.depth},
                     {"size", arguments.size},
                     {"batch", arguments.batch},
                     {"ranks", world->size()},
                     {"threads", arguments.threads},
                     {"device", device},
                     {"seconds_per_step", seconds}},
                    arguments.json);
  return 0;
}

}  // namespace

void add_bench_step2(CLI::App& bench, Action& action) {
  auto* command = bench.add_subcommand(
      "step2", "Time a step of step 2 (both networks, losses, backward, update) on random clips");
  command->footer(
      "Examples:\n"
      "  stc bench step2 --depth 50 --size 256 --batch 2 --steps 4 --threads 2 --json\n"
      "  mpirun -np 2 --bind-to none stc bench step2 --size 64");
  const auto arguments = std::make_shared<Arguments>();
  command->option_defaults()->always_capture_default()->group("Method");
  command->add_option("--depth", arguments->depth, "Depth of student and teacher")
      ->check(CLI::IsMember({18, 50}));
  command->add_option("--size", arguments->size, "Clip side in pixels, a multiple of 32")
      ->check(CLI::PositiveNumber);
  command->add_option("--batch", arguments->batch, "Clips per rank")->check(CLI::PositiveNumber);
  command->add_option("--steps", arguments->steps, "Timed steps, after one warm-up")
      ->check(CLI::PositiveNumber);
  command->option_defaults()->group("Machine");
  command->add_option("--threads", arguments->threads, "Compute threads per rank")
      ->check(CLI::PositiveNumber);
  command->add_option("--device", arguments->device, "cpu, cuda or auto");
  command->option_defaults()->group("Output");
  command->add_flag("--json", arguments->json, "Print only the JSON line");
  command->callback([arguments, &action] {
    action = [arguments] {
      STC_CHECK_USAGE(
          arguments->size % 32 == 0, "--size is {}; expected a multiple of 32", arguments->size);
      return dist::run_over_ranks(
          [&](dist::Session& session) { return measure(*arguments, session); });
    };
  });
}

}  // namespace stc::launcher
