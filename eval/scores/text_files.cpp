#include "eval/scores/text_files.h"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>

#include "data/file.h"
#include "monitoring/check.h"

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

void write_text(const std::string& path, const std::string& content) {
  if (std::filesystem::exists(path) && !std::filesystem::is_regular_file(path)) {
    std::ofstream out(path);
    out << content << std::flush;
    STC_CHECK(out.good(), "{}: cannot be written", path);
    return;
  }
  data::write_file(
      path, std::span(reinterpret_cast<const std::uint8_t*>(content.data()), content.size()));
}

}  // namespace stc::eval
