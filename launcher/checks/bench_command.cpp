#include <CLI/CLI.hpp>

#include "launcher/checks/bench.h"

namespace stc::launcher {

void add_bench(CLI::App& app, Action& action) {
  auto* bench = app.add_subcommand("bench", "Measure one part of stc on synthetic input");
  bench->footer(
      "Examples:\n"
      "  stc bench step2 --depth 50 --size 256 --batch 2 --steps 4 --threads 2 --json\n"
      "  stc bench loader\n"
      "The last line of each is one JSON object; --json prints nothing else.");
  bench->require_subcommand(1);
  add_bench_allreduce(*bench, action);
  add_bench_checkpoint(*bench, action);
  add_bench_loader(*bench, action);
  add_bench_propagation(*bench, action);
  add_bench_step2(*bench, action);
}

}  // namespace stc::launcher
