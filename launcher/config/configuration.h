// What a training is told: a TOML file and keys, read and checked.
#pragma once

#include <string>
#include <vector>

#include "launcher/config/schema.h"

namespace stc::launcher {

/// The schema holds pointers into `options`, so both live side by side.
template <typename Options>
struct Configuration {
  Options options;
  ConfigSchema schema;

  Configuration() { options.bind(&schema); }
  Configuration(const Configuration&) = delete;

  /// `config` may be empty. Throws stc::Error (kUsage).
  void read(const std::string& config, const std::vector<std::string>& overrides, int ranks) {
    if (!config.empty()) schema.read_file(config);
    for (const auto& argument : overrides) schema.override_with(argument);
    options.check(ranks);
  }
};

}  // namespace stc::launcher
