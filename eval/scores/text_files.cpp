#include "eval/scores/text_files.h"

#include <cstdio>

namespace stc::eval {
namespace {

std::string number(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), format, value);
  return buffer;
}

}  // namespace

std::string exact(double value) { return number("%.17g", value); }

std::string percent(double share) { return number("%.1f", 100 * share); }

std::string csv_field(const std::string& name) {
  if (name.find_first_of(",\"\n") == std::string::npos) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace stc::eval
