// The subcommands of stc. Each add_*() describes one to CLI11 and stores its body in `action` when
// it is chosen.
#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace stc::launcher {

using Action = std::function<int()>;  ///< returns the exit code; throws stc::Error

/// In the order of `stc -h`: data, training, evaluation, the rest.
using AddCommand = void(CLI::App& app, Action& action);
AddCommand add_pack, add_verify, add_synthesize;
AddCommand add_pretrain, add_train, add_launch, add_slurm;
AddCommand add_eval, add_sweep, add_propagate, add_score, add_report;
AddCommand add_monitor, add_parity, add_export, add_import;
AddCommand add_doctor, add_plan, add_bench;

}  // namespace stc::launcher
