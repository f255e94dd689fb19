#include "eval/scores/score_tables.h"

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iomanip>
#include <span>
#include <sstream>

#include "data/file.h"
#include "monitoring/check.h"

namespace stc::eval {

namespace fs = std::filesystem;

void write_tables(const std::string& folder, const ScoreTables& tables) {
  auto files = tables.official;
  files.push_back(tables.results);
  files.push_back(tables.details);
  for (const auto& [name, content] : files) write_text((fs::path(folder) / name).string(), content);
}

std::string formatted(const char* format, double value) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), format, value);
  return buffer;
}

std::string exact(double value) { return formatted("%.17g", value); }
std::string percent(double share) { return formatted("%.1f", 100 * share); }

std::string exact(const std::optional<double>& share) { return share ? exact(*share) : ""; }
std::string percent(const std::optional<double>& share) { return share ? percent(*share) : "-"; }
Json json_of(const std::optional<double>& share) { return share ? Json(*share) : Json(nullptr); }

std::string csv_field(const std::string& name) {
  if (name.find_first_of(",\"\n") == std::string::npos) return name;
  std::string quoted = "\"";
  for (const char c : name) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::string TextTable::line(const std::string& name, const std::vector<std::string>& fields) const {
  std::ostringstream out;
  out << std::left << std::setw(name_width) << name << std::right;
  for (std::size_t i = 0; i < fields.size(); ++i) out << std::setw(widths.at(i)) << fields[i];
  out << '\n';
  return out.str();
}

void write_text(const std::string& path, const std::string& content) {
  if (fs::exists(path) && !fs::is_regular_file(path)) {
    std::ofstream out(path);
    out << content << std::flush;
    STC_CHECK(out.good(), "{}: cannot be written", path);
    return;
  }
  data::write_file(
      path, std::span(reinterpret_cast<const std::uint8_t*>(content.data()), content.size()));
}

}  // namespace stc::eval
