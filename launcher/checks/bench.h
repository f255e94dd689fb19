// `stc bench`: one part of the program at a time, on synthetic input.
#pragma once

#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace stc::launcher {

/// Measures and reports; returns the exit code.
using Bench = std::function<int(bool json_only)>;

/// Each adds its options to `command`.
Bench allreduce_bench(CLI::App& command);
Bench checkpoint_bench(CLI::App& command);
Bench loader_bench(CLI::App& command);
Bench propagation_bench(CLI::App& command);
Bench step1_bench(CLI::App& command);
Bench step2_bench(CLI::App& command);

/// Other load on the machine only ever makes a round slower. The first round warms up.
double fastest_after_warm_up(const std::vector<double>& seconds);

/// What was measured: words for people, unless `json_only`, then one JSON line for programs.
void print_measurement(const std::string& words,
                       const nlohmann::ordered_json& fields,
                       bool json_only);

}  // namespace stc::launcher
