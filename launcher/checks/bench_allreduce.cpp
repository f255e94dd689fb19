// `stc bench allreduce`: how fast the ranks it is started on sum gradients.
#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <memory>
#include <nlohmann/json.hpp>

#include "dist/communicator.h"
#include "dist/device.h"
#include "dist/run_together.h"
#include "launcher/checks/bench.h"
#include "launcher/config/usage_error.h"
#include "monitoring/log.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {
namespace {

struct Arguments {
  double megabytes = 100;
  int rounds = 10;
  std::string device = "cpu";
};

// A round ends when the last rank has its sum.
double seconds_per_round(const Arguments& arguments, dist::Communicator& world, at::Device device) {
  const auto elements = static_cast<std::int64_t>(arguments.megabytes * 1e6 / sizeof(float));
  const auto values = at::zeros({elements}, device);
  std::vector<double> rounds;
  for (int round = 0; round <= arguments.rounds; ++round) {
    world.barrier();
    const Stopwatch stopwatch;
    world.all_reduce(values);
    dist::synchronise(device);  // a GPU's collective is under way when the call returns
    auto slowest = at::full({1}, stopwatch.seconds(), at::kDouble).to(values.device());
    world.all_reduce(slowest, dist::ReduceOp::kMax);
    rounds.push_back(slowest.item<double>());
  }
  return fastest_after_warm_up(rounds);
}

int measure(const Arguments& arguments, dist::Session& session, bool json_only) {
  log::open(session.world().rank, session.world().size);
  const auto host_ranks = dist::make_communicator(session, at::kCPU, {});
  const auto device = dist::choose_device(arguments.device, *host_ranks);
  const auto world = device.is_cpu() ? host_ranks : dist::make_communicator(session, device, {});
  const double seconds = seconds_per_round(arguments, *world, device);
  if (!world->is_root()) return 0;
  const double rate = arguments.megabytes / seconds;
  print_measurement(text("{} MB of float32 over {} ranks: {} ms, {} MB/s",
                         arguments.megabytes,
                         world->size(),
                         1000 * seconds,
                         rate),
                    {{"benchmark", "allreduce"},
                     {"ranks", world->size()},
                     {"device", dist::device_word(device)},
                     {"megabytes", arguments.megabytes},
                     {"seconds", seconds},
                     {"megabytes_per_second", rate}},
                    json_only);
  return 0;
}

}  // namespace

Bench allreduce_bench(CLI::App& command) {
  const auto arguments = std::make_shared<Arguments>();
  command.option_defaults()->group("Method");
  command
      .add_option(
          "--megabytes", arguments->megabytes, "Size of each rank's float32 data in 10^6 bytes")
      ->check(above_zero());
  command.add_option("--rounds", arguments->rounds, "Timed rounds, after one warm-up")
      ->check(above_zero());
  command.option_defaults()->group("Machine");
  command.add_option("--device", arguments->device, "cpu, cuda or auto");
  return [arguments](bool json_only) {
    return dist::run_over_ranks(
        [&](dist::Session& session) { return measure(*arguments, session, json_only); });
  };
}

}  // namespace stc::launcher
