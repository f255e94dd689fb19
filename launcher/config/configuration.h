// The options of a training with the schema that reads them from a TOML file and arguments.
#pragma once

#include <string>
#include <vector>

#include "launcher/config/schema.h"

namespace stc::launcher {

/// The schema points into `options`, so both live together.
template <typename Options>
struct Configuration {
  Options options;
  ConfigSchema schema;

  Configuration() { options.bind(schema); }

  /// `config` may be empty. Throws stc::Error (kUsage).
  void read(const std::string& config, const std::vector<std::string>& overrides, int ranks) {
    schema.read(config, overrides);
    options.check(ranks);
  }
};

}  // namespace stc::launcher
