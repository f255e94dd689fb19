#include "launcher/config/key.h"

#include <toml++/toml.h>

#include <charconv>
#include <cmath>
#include <sstream>

#include "monitoring/printable.h"

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

std::string quoted(const std::string& content) {
  std::ostringstream out;
  const toml::value<std::string> value(escaped(content));  // TOML is UTF-8, paths need not be
  out << toml::toml_formatter{value, toml::format_flags::allow_unicode_strings};
  return out.str();
}

std::string listed(const std::vector<std::string>& words) {
  return joined(words, [](const std::string& word) { return text("\"{}\"", word); });
}

std::string bound_text(const ConfigValue& bound) {
  const auto* number = std::get_if<double>(&bound);
  return number != nullptr ? number_text(*number) : std::to_string(std::get<std::int64_t>(bound));
}

}  // namespace

std::string ConfigKey::section() const {
  return name.substr(0, name.rfind('.') == std::string::npos ? 0 : name.rfind('.'));
}

std::string ConfigKey::leaf() const { return name.substr(name.rfind('.') + 1); }

bool ConfigKey::in_range(const ConfigValue& value) const {
  if (const auto* number = std::get_if<double>(&value);
      number != nullptr && !std::isfinite(*number))
    return false;
  return (!least || value >= *least) && (!most || value <= *most);
}

std::string ConfigKey::rule() const {
  if (holds<bool>()) return "true or false";
  if (holds<std::string>()) return words.empty() ? "a string" : "one of " + listed(words);
  std::string all = holds<double>() ? "a number" : "a whole number";
  if (least && most) {
    all += " from " + bound_text(*least) + " to " + bound_text(*most);
  } else if (least) {
    all += " >= " + bound_text(*least);
  } else if (most) {
    all += " <= " + bound_text(*most);
  }
  return all + (words.empty() ? "" : ", or " + listed(words));
}

std::string ConfigKey::to_toml(const ConfigValue& value) const {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<double>(&value)) return number_text(*number);
  if (const auto* content = std::get_if<std::string>(&value)) return quoted(*content);
  const std::int64_t whole = std::get<std::int64_t>(value);
  if (!words.empty() && whole == word_value && !in_range(value)) return listed(words);
  return std::to_string(whole);
}

}  // namespace stc::launcher
