// Between TOML and the values of keys.
#pragma once

#include <toml++/toml.h>

#include <optional>
#include <string>

#include "launcher/config/key.h"

namespace stc::launcher {

/// The value of a TOML node, or nothing if it breaks the key's rule. An integer is a number, not
/// the reverse.
std::optional<ConfigValue> value_of(const ConfigKey& key, const toml::node& node);

/// A node as it would be written in a file, in one line.
std::string toml_text(const toml::node& node);

}  // namespace stc::launcher
