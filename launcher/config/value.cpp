#include "launcher/config/value.h"

#include <algorithm>
#include <sstream>

namespace stc::launcher {

std::optional<ConfigValue> value_of(const ConfigKey& key, const toml::node& node) {
  if (key.holds<bool>()) return node.value_exact<bool>();
  const auto word = node.value_exact<std::string>();
  const bool is_listed =
      word && std::find(key.words.begin(), key.words.end(), *word) != key.words.end();
  if (key.holds<std::string>()) return is_listed || key.words.empty() ? word : std::nullopt;
  if (is_listed) return key.word_value;
  std::optional<ConfigValue> value = node.value_exact<std::int64_t>();
  if (key.holds<double>()) value = node.value<double>();
  return node.is_number() && value && key.in_range(*value) ? value : std::nullopt;
}

std::string toml_text(const toml::node& node) {
  std::ostringstream out;
  out << toml::toml_formatter{node, toml::format_flags::allow_unicode_strings};
  std::string line = out.str();
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

}  // namespace stc::launcher
