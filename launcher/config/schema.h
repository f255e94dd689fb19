// Configuration: TOML files and --section.key=value, bound to the fields of options structs
// (docs/configuration.md).
#pragma once

#include <concepts>
#include <cstdint>
#include <deque>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "launcher/config/key.h"

namespace stc::launcher {

/// An enumeration, or a switch, by the words for its values.
template <typename Value>
using WordList = std::vector<std::pair<std::string, Value>>;

/// Values, by key, that the config of an earlier version means in today's words.
using EarlierValues = std::map<std::string, ConfigValue>;

/// The text, or "true" or "false", that a key has in the resolved TOML text of a run; nothing if
/// the key is not there, or holds something else.
std::optional<std::string> word_in(const std::string& resolved, const std::string& key);

/// The keys that one subcommand knows. Bind every field first (its value then is the default), then
/// read files and overrides; the later wins. Errors are stc::Error (kUsage) naming file, line, key,
/// the rule, and the nearest known key.
class ConfigSchema {
 public:
  ConfigSchema() = default;
  ConfigSchema(const ConfigSchema&) = delete;

  /// The field may be of any integer type; its limits bound the key until range() narrows them.
  template <std::integral Integer>
  KeyBinding<std::int64_t> integer(const std::string& name, Integer* field) {
    using Limits = std::numeric_limits<Integer>;
    auto binding = bind<std::int64_t>(name, field);
    if constexpr (sizeof(Integer) < sizeof(std::int64_t)) {
      binding.range(Limits::min(), Limits::max());
    } else if constexpr (std::unsigned_integral<Integer>) {
      binding.at_least(0);
    }
    return binding;
  }
  KeyBinding<double> number(const std::string& name, double* field) {
    return bind<double>(name, field);
  }
  KeyBinding<bool> boolean(const std::string& name, bool* field) { return bind<bool>(name, field); }
  KeyBinding<std::string> text(const std::string& name, std::string* field) {
    return bind<std::string>(name, field);
  }
  template <typename Value>
  KeyBinding<std::string> word(const std::string& name,
                               Value* field,
                               const std::type_identity_t<WordList<Value>>& words) {
    const auto read = [field, words]() -> ConfigValue {
      for (const auto& [word, value] : words)
        if (value == *field) return word;
      throw Error(Exit::kFailed, "a config key holds a value without a word");
    };
    const auto write = [field, words](const ConfigValue& value) {
      for (const auto& entry : words)
        if (entry.first == std::get<std::string>(value)) *field = entry.second;
    };
    KeyBinding<std::string> binding(add({name, read, write}));
    std::vector<std::string> allowed;
    for (const auto& entry : words) allowed.push_back(entry.first);
    return binding.one_of(allowed);
  }

  /// Declares that keys ("run.dir") and whole sections ("log.") cannot change the trained weights.
  void mark_operation(const std::vector<std::string>& names);

  /// The file, unless its path is empty, then the overrides.
  void read(const std::string& path, const std::vector<std::string>& overrides);
  void read_file(const std::string& path);
  /// "--section.key=value". Text needs no quotes; everything else is written as in TOML.
  void override_with(const std::string& argument);

  const std::deque<ConfigKey>& keys() const { return keys_; }  ///< in the order they were bound
  /// TOML of all keys, sections and keys in the order they were bound.
  std::string resolved() const;
  std::string help() const;  ///< one line per key: default, type, range, meaning
  /// kTraining keys whose value differs from the resolved TOML text of an earlier run:
  /// "train.steps: 100 there, 200 here". A key of `read_as` has that value there, whatever the text
  /// says.
  std::vector<std::string> training_differences(const std::string& earlier_resolved,
                                                const EarlierValues& read_as = {}) const;

 private:
  template <typename Value, typename Field>
  KeyBinding<Value> bind(const std::string& name, Field* field) {
    const auto read = [field] { return ConfigValue(static_cast<Value>(*field)); };
    const auto write = [field](const ConfigValue& value) {
      *field = static_cast<Field>(std::get<Value>(value));
    };
    return KeyBinding<Value>(add({name, read, write}));
  }
  ConfigKey& add(ConfigKey key);

  std::deque<ConfigKey> keys_;  // a deque: bindings refer to its keys while more are added
};

/// Options with the schema that reads them from a TOML file and arguments. The schema points into
/// `options`, so both live together.
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

/// Names the config key whose value led to an error: puts it in front of what goes wrong while
/// `body` uses its value.
template <typename Body>
auto with_key_in_errors(const char* key, const Body& body) {
  try {
    return body();
  } catch (const Error& error) {
    throw Error(error.exit(), text("{}: {}", key, error.what()));
  }
}

}  // namespace stc::launcher
