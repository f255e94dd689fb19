#include "launcher/config/value.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <type_traits>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

// The shortest text that reads back to the same double; always with a mark of a float in it.
std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[64];
  std::string digits(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
  if (digits.find_first_of(".e") == std::string::npos) digits += ".0";
  return digits;
}

std::string range_text(bool bounded_below,
                       const std::string& least,
                       bool bounded_above,
                       const std::string& most) {
  if (bounded_below && bounded_above) return " from " + least + " to " + most;
  if (bounded_below) return " >= " + least;
  if (bounded_above) return " <= " + most;
  return "";
}

std::string listed(const std::vector<std::string>& words) {
  std::string all;
  for (const std::string& word : words) all += (all.empty() ? "\"" : ", \"") + word + "\"";
  return all;
}

bool holds(const std::vector<std::string>& words, const std::string& word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

std::string toml_text(const toml::node& node) {
  std::ostringstream out;
  out << toml::toml_formatter{node, toml::format_flags::allow_unicode_strings};
  std::string line = out.str();
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

std::string ConfigKey::rule() const {
  if (std::holds_alternative<bool*>(field)) return "true or false";
  if (holds_text()) return words.empty() ? "a text" : "one of " + listed(words);
  if (std::holds_alternative<double*>(field)) {
    return "a number" + range_text(std::isfinite(least_number),
                                   number_text(least_number),
                                   std::isfinite(most_number),
                                   number_text(most_number));
  }
  using Limits = std::numeric_limits<std::int64_t>;
  const std::string range = range_text(least_integer != Limits::min(),
                                       std::to_string(least_integer),
                                       most_integer != Limits::max(),
                                       std::to_string(most_integer));
  return "a whole number" + range + (words.empty() ? "" : ", or " + listed(words));
}

std::optional<ConfigValue> ConfigKey::accept(const toml::node& node) const {
  if (std::holds_alternative<bool*>(field)) {
    if (const auto value = node.value_exact<bool>()) return *value;
    return std::nullopt;
  }
  if (std::holds_alternative<double*>(field)) {
    if (!node.is_number()) return std::nullopt;
    const double value = *node.value<double>();
    const bool in_range = value >= least_number && value <= most_number;  // false for NaN
    if (in_range && std::isfinite(value)) return value;
    return std::nullopt;
  }
  const auto word = node.value_exact<std::string>();
  if (holds_text()) {
    if (word && (words.empty() || holds(words, *word))) return *word;
    return std::nullopt;
  }
  if (word && holds(words, *word)) return word_value;
  const auto value = node.value_exact<std::int64_t>();
  if (value && *value >= least_integer && *value <= most_integer) return *value;
  return std::nullopt;
}

ConfigValue ConfigKey::current() const {
  return std::visit([](auto* place) -> ConfigValue { return *place; }, field);
}

void ConfigKey::store(const ConfigValue& value) {
  std::visit([&](auto* place) { *place = std::get<std::decay_t<decltype(*place)>>(value); }, field);
}

std::string ConfigKey::to_toml(const ConfigValue& value) const {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<double>(&value)) return number_text(*number);
  if (const auto* words_text = std::get_if<std::string>(&value)) {
    return toml_text(toml::value<std::string>(*words_text));
  }
  const std::int64_t whole = std::get<std::int64_t>(value);
  const bool outside = whole < least_integer || whole > most_integer;
  if (!words.empty() && whole == word_value && outside) return "\"" + words.front() + "\"";
  return std::to_string(whole);
}

}  // namespace stc::launcher
