// `stc bench`: one part of the program at a time, on synthetic input.
#pragma once

#include "launcher/commands.h"

namespace stc::launcher {

void add_bench_allreduce(CLI::App& bench, Action& action);
void add_bench_checkpoint(CLI::App& bench, Action& action);
void add_bench_loader(CLI::App& bench, Action& action);
void add_bench_propagation(CLI::App& bench, Action& action);
void add_bench_step2(CLI::App& bench, Action& action);

}  // namespace stc::launcher
