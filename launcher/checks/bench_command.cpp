#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "launcher/checks/bench.h"
#include "launcher/commands.h"
#include "monitoring/json_text.h"

namespace stc::launcher {
namespace {

struct BenchEntry {
  const char* name;
  const char* help;
  const char* examples;
  Bench (*add)(CLI::App& command);
};

constexpr BenchEntry kBenches[] = {
    {"allreduce",
     "Time an all-reduce over the ranks it is started on",
     "  mpirun -np 2 --bind-to none stc bench allreduce\n"
     "  mpirun -np 2 --bind-to none stc bench allreduce --megabytes 45 --rounds 20 --json",
     allreduce_bench},
    {"checkpoint",
     "Time for which a save of step 1 stalls training, "
     "compared with one memcpy and with a blocking save",
     "  stc bench checkpoint\n"
     "  stc bench checkpoint --depth 18 --queue 4096 --folder /tmp --json",
     checkpoint_bench},
    {"loader",
     "Samples per second that this host decodes and augments, from packed or synthetic shards",
     "  stc bench loader\n"
     "  stc bench loader runs/demo/data/images --workers 4 --batch 64 --json",
     loader_bench},
    {"propagation",
     "Time label propagation from 21 frames to the next one, on random features",
     "  stc bench propagation\n"
     "  stc bench propagation --depth 50 --stride 4 --threads 2 --json",
     propagation_bench},
    {"step1",
     "Time one training step of step 1 (both encoders, loss, backward, update) on random images",
     "  stc bench step1 --depth 50 --size 224 --batch 8 --queue 4096 --threads 2\n"
     "  stc bench step1 --device cuda --precision bf16 --memory-format channels_last --batch 256",
     step1_bench},
    {"step2",
     "Time one training step of step 2 (both networks, losses, backward, update) on random clips",
     "  stc bench step2 --depth 50 --size 256 --batch 2 --steps 4 --threads 2 --json\n"
     "  mpirun -np 2 --bind-to none stc bench step2 --size 64",
     step2_bench},
};

}  // namespace

void add_bench(CLI::App& app, Action& action) {
  auto* bench = app.add_subcommand("bench", "Measure one part of stc on synthetic input");
  bench->footer(
      "Examples:\n"
      "  stc bench step2 --depth 50 --size 256 --batch 2 --steps 4 --threads 2 --json\n"
      "  stc bench loader\n"
      "The last line of each is one JSON object; --json prints nothing else.");
  bench->require_subcommand(1);
  for (const auto& entry : kBenches) {
    auto* command = bench->add_subcommand(entry.name, entry.help);
    command->footer(std::string("Examples:\n") + entry.examples);
    command->option_defaults()->always_capture_default();
    const auto run = entry.add(*command);
    const auto json_only = std::make_shared<bool>(false);
    command->option_defaults()->group("Output");
    command->add_flag("--json", *json_only, "Print only the JSON line");
    command->callback(
        [run, json_only, &action] { action = [run, json_only] { return run(*json_only); }; });
  }
}

double fastest_after_warm_up(const std::vector<double>& seconds) {
  return *std::min_element(seconds.begin() + 1, seconds.end());
}

void print_measurement(const std::string& words,
                       const nlohmann::ordered_json& fields,
                       bool json_only) {
  if (!json_only) std::cout << words << "\n";
  std::cout << json_text(fields) << "\n";
}

}  // namespace stc::launcher
