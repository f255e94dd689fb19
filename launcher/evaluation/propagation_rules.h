// The rules of label propagation by name, as the [propagation] section and `--preset` have them.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "launcher/config/schema.h"
#include "launcher/evaluation/propagation_arguments.h"

namespace stc::launcher {

/// Words of the section whose fields are enumerations.
struct PropagationRules {
  std::string window, first_frame, first_labels, normalise, input;
};

/// Binds the rules' keys; the settings' values are the defaults.
void bind_rules(ConfigSchema* schema, PropagationSettings* settings, PropagationRules* rules);
/// After files and overrides were read.
void apply_rules(const PropagationRules& rules, PropagationSettings* settings);
void add_rules(const PropagationSettings& settings, nlohmann::ordered_json* json);

}  // namespace stc::launcher
