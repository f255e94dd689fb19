// The subcommands of stc. Each add_*() describes one to CLI11 and stores its body in `action` when
// it is chosen.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace stc::launcher {

using Action = std::function<int()>;  ///< returns the exit code; throws stc::Error

void add_pack(CLI::App& app, Action& action);
void add_verify(CLI::App& app, Action& action);
void add_pretrain(CLI::App& app, Action& action);
void add_train(CLI::App& app, Action& action);
void add_eval(CLI::App& app, Action& action);
void add_sweep(CLI::App& app, Action& action);
void add_propagate(CLI::App& app, Action& action);
void add_score(CLI::App& app, Action& action);
void add_launch(CLI::App& app, Action& action);
void add_slurm(CLI::App& app, Action& action);
void add_parity(CLI::App& app, Action& action);
void add_export(CLI::App& app, Action& action);
void add_import(CLI::App& app, Action& action);
void add_report(CLI::App& app, Action& action);
void add_monitor(CLI::App& app, Action& action);
void add_synthesize(CLI::App& app, Action& action);
void add_doctor(CLI::App& app, Action& action);
void add_plan(CLI::App& app, Action& action);
void add_bench(CLI::App& app, Action& action);

}  // namespace stc::launcher
