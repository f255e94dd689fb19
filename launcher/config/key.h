// One key of a configuration: the field it is bound to, and the rule for its values.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "monitoring/check.h"

namespace stc::launcher {

/// Can another value change the trained weights? A run folder resumes only if all kTraining keys
/// are equal.
enum class Effect { kTraining, kOperation };

using ConfigValue = std::variant<std::int64_t, double, bool, std::string>;

struct ConfigKey {
  std::string name;  ///< "section.key"
  std::function<ConfigValue()> read;
  std::function<void(const ConfigValue&)> write;
  ConfigValue default_value{};  ///< what the field held when it was bound

  Effect effect = Effect::kTraining;
  std::string help{};
  std::optional<ConfigValue> least{}, most{};  ///< inclusive; of integers and numbers
  /// The strings that are allowed (empty: any) or, for an integer, the one word that means
  /// word_value.
  std::vector<std::string> words{};
  std::int64_t word_value = 0;

  template <typename Value>
  bool holds() const {
    return std::holds_alternative<Value>(default_value);
  }
  std::string section() const;                          ///< of the name; may be empty
  std::string leaf() const;                             ///< the name without its section
  bool in_range(const ConfigValue& value) const;        ///< a number must be finite, too
  std::string rule() const;                             ///< "a whole number from 1 to 64"
  std::string to_toml(const ConfigValue& value) const;  ///< reads back to the same bits
};

/// Completes a key that was just bound: schema.integer("loader.workers", &workers).range(0, 1024).
template <typename Value>
class KeyBinding {
 public:
  explicit KeyBinding(ConfigKey& key) : key_(key) {}

  KeyBinding& at_least(Value least) requires std::is_arithmetic_v<Value> {
    STC_CHECK(key_.in_range(least), "config key {}: its field cannot hold {}", key_.name, least);
    key_.least = least;
    return *this;
  }
  KeyBinding& at_most(Value most) requires std::is_arithmetic_v<Value> {
    STC_CHECK(key_.in_range(most), "config key {}: its field cannot hold {}", key_.name, most);
    key_.most = most;
    return *this;
  }
  KeyBinding& range(Value least, Value most) requires std::is_arithmetic_v<Value> {
    return at_least(least).at_most(most);
  }
  /// Besides the range, a word that means a value, such as "off" for -1.
  KeyBinding& or_word(std::string word,
                      std::int64_t value) requires std::is_same_v<Value, std::int64_t> {
    key_.words = {std::move(word)};
    key_.word_value = value;
    return *this;
  }
  KeyBinding& one_of(std::vector<std::string> allowed) requires std::is_same_v<Value, std::string> {
    key_.words = std::move(allowed);
    return *this;
  }
  KeyBinding& help(std::string meaning) {
    key_.help = std::move(meaning);
    return *this;
  }

 private:
  ConfigKey& key_;
};

}  // namespace stc::launcher
