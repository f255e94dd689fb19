// The subcommands of stc. Each add_*() describes one to CLI11 and stores its body in `run` when it
// is chosen.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace stc::launcher {

using Run = std::function<int()>;  ///< returns the exit code; throws stc::Error

void add_pack(CLI::App& app, Run& run);
void add_verify(CLI::App& app, Run& run);
void add_pretrain(CLI::App& app, Run& run);
void add_train(CLI::App& app, Run& run);
void add_eval(CLI::App& app, Run& run);
void add_sweep(CLI::App& app, Run& run);
void add_propagate(CLI::App& app, Run& run);
void add_score(CLI::App& app, Run& run);
void add_launch(CLI::App& app, Run& run);
void add_slurm(CLI::App& app, Run& run);
void add_parity(CLI::App& app, Run& run);
void add_export(CLI::App& app, Run& run);
void add_import(CLI::App& app, Run& run);
void add_report(CLI::App& app, Run& run);
void add_monitor(CLI::App& app, Run& run);
void add_synthesize(CLI::App& app, Run& run);
void add_doctor(CLI::App& app, Run& run);
void add_plan(CLI::App& app, Run& run);
void add_bench(CLI::App& app, Run& run);

}  // namespace stc::launcher
