// One key of a configuration: its rule, its field, and the way between TOML and the field.
#pragma once

#include <toml++/toml.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "launcher/config/schema.h"

namespace stc::launcher {

using ConfigValue = std::variant<std::int64_t, double, bool, std::string>;
using ConfigField = std::variant<std::int64_t*, double*, bool*, std::string*>;

struct ConfigKey {
  std::string name;  // "section.key"
  ConfigField field;
  Effect effect = Effect::kTraining;
  std::string help;
  std::string default_text{};

  // The rule. Bounds hold for integers and numbers; words are the texts that are allowed (empty:
  // any) or, for an integer, the one word that stands for word_value.
  std::int64_t least_integer = std::numeric_limits<std::int64_t>::min();
  std::int64_t most_integer = std::numeric_limits<std::int64_t>::max();
  double least_number = -std::numeric_limits<double>::infinity();
  double most_number = std::numeric_limits<double>::infinity();
  std::vector<std::string> words{};
  std::int64_t word_value = 0;

  bool holds_text() const { return std::holds_alternative<std::string*>(field); }
  std::string rule() const;  ///< "a whole number from 1 to 64"
  /// The value of a TOML node, or nothing where it breaks the rule. An integer is a number, not the
  /// reverse.
  std::optional<ConfigValue> accept(const toml::node& node) const;
  ConfigValue current() const;
  void store(const ConfigValue& value);
  std::string to_toml(
      const ConfigValue& value) const;  ///< reads back to the same value, bit for bit
};

/// A node as it would stand in a file, in one line.
std::string toml_text(const toml::node& node);

}  // namespace stc::launcher
