#include <CLI/CLI.hpp>

#include "launcher/checks/bench.h"

namespace stc::launcher {

void add_bench(CLI::App& app, Run& run) {
  auto* bench = app.add_subcommand("bench", "Measure one part of stc on synthetic input");
  bench->require_subcommand(1);
  add_bench_allreduce(*bench, run);
  add_bench_checkpoint(*bench, run);
  add_bench_loader(*bench, run);
  add_bench_propagation(*bench, run);
  add_bench_step2(*bench, run);
}

}  // namespace stc::launcher
