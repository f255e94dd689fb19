// How each `stc bench` picks its number, and how it reports it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace stc::launcher {

/// Other load on the machine only ever makes a round slower. The first round warms up.
double fastest_after_warm_up(const std::vector<double>& seconds);

/// What was measured: words for people, unless `json_only`, then one JSON line for programs.
void print_measurement(const std::string& words,
                       const nlohmann::ordered_json& fields,
                       bool json_only);

}  // namespace stc::launcher
