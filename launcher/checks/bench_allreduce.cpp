// `stc bench allreduce`: how fast gradients travel between the ranks it is started on.
#include <ATen/ATen.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>

#include "dist/communicator.h"
#include "dist/device.h"
#include "dist/run_together.h"
#include "launcher/checks/bench.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

struct Arguments {
  double megabytes = 100;
  int rounds = 10;
  std::string device = "cpu";
  bool json = false;
};

// The fastest of the rounds: other load on the machine only ever makes one slower. A round ends
// when the last rank has its sum.
double seconds_per_round(const Arguments& arguments, dist::Communicator& world) {
  const auto elements = static_cast<std::int64_t>(arguments.megabytes * 1e6 / sizeof(float));
  const auto values = at::zeros({elements}, at::Device(arguments.device));
  auto fastest = at::full({1}, std::numeric_limits<double>::infinity(), at::kDouble);
  for (int round = 0; round <= arguments.rounds; ++round) {
    world.barrier();
    const auto start = std::chrono::steady_clock::now();
    world.all_reduce(values);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    auto slowest = at::full({1}, taken.count(), at::kDouble).to(values.device());
    world.all_reduce(slowest, dist::ReduceOp::kMax);
    if (round > 0) fastest = at::minimum(fastest, slowest.cpu());  // the first one warms up
  }
  return fastest.item<double>();
}

int measure(const Arguments& arguments, dist::Session& session) {
  log::open(session.world().rank, session.world().size);
  const auto world = dist::make_communicator(session, dist::choose_device(arguments.device), {});
  const double seconds = seconds_per_round(arguments, *world);
  if (!world->is_root()) return 0;
  nlohmann::ordered_json result;
  result["benchmark"] = "allreduce";
  result["ranks"] = world->size();
  result["megabytes"] = arguments.megabytes;
  result["seconds"] = seconds;
  result["megabytes_per_second"] = arguments.megabytes / seconds;
  if (!arguments.json) {
    std::cout << text("{} MB of float32 over {} ranks: {} ms, {} MB/s\n",
                      arguments.megabytes,
                      world->size(),
                      1000 * seconds,
                      arguments.megabytes / seconds);
  }
  std::cout << result.dump() << "\n";
  return 0;
}

}  // namespace

void add_bench_allreduce(CLI::App& bench, Action& action) {
  auto* command = bench.add_subcommand(
      "allreduce", "All-reduce over the ranks it is started on, e.g. mpirun -np 2 stc bench ...");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--megabytes", arguments->megabytes, "Of float32, a rank (10^6 bytes)")
      ->check(CLI::PositiveNumber);
  command->add_option("--rounds", arguments->rounds, "Timed ones, after one that warms up")
      ->check(CLI::PositiveNumber);
  command->add_option("--device", arguments->device, "cpu, cuda or auto");
  command->add_flag("--json", arguments->json, "Print the JSON line alone");
  command->callback([arguments, &action] {
    action = [arguments] {
      return dist::run_over_ranks(
          [&](dist::Session& session) { return measure(*arguments, session); });
    };
  });
}

}  // namespace stc::launcher
