// Messages: one literal with a `{}` for each value, counted by the compiler.
#pragma once

#include <cstddef>
#include <functional>
#include <sstream>
#include <string>
#include <string_view>

namespace stc {

/// A literal that holds exactly `Count` placeholders `{}`; any other brace stands for itself.
template <std::size_t Count>
class Format {
 public:
  consteval Format(const char* pattern)
      : pattern_(pattern) {  // implicit, as callers write literals
    std::size_t found = 0;
    for (auto at = pattern_.find(kPlaceholder); at != std::string_view::npos;
         at = pattern_.find(kPlaceholder, at + kPlaceholder.size()))
      ++found;
    if (found != Count) throw "the number of placeholders {} is not the number of values";
  }

  static constexpr std::string_view kPlaceholder = "{}";
  std::string_view pattern() const { return pattern_; }

 private:
  std::string_view pattern_;
};

/// The format with each value in its place, as `<<` prints it.
template <typename... Values>
std::string text(Format<sizeof...(Values)> format, const Values&... values) {
  std::ostringstream out;
  std::string_view rest = format.pattern();
  [[maybe_unused]] const auto print = [&](const auto& value) {
    const auto at = rest.find(format.kPlaceholder);
    out << rest.substr(0, at) << value;
    rest.remove_prefix(at + format.kPlaceholder.size());
  };
  (print(values), ...);
  out << rest;
  return out.str();
}

/// "a, b, c": what `shown` gives for each item, as `<<` prints it.
template <typename Items, typename Shown = std::identity>
std::string joined(const Items& items, const Shown& shown = {}, const char* separator = ", ") {
  std::ostringstream out;
  const char* gap = "";
  for (const auto& item : items) {
    out << gap << std::invoke(shown, item);
    gap = separator;
  }
  return out.str();
}

}  // namespace stc
