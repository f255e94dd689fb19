#include "eval/scores/score_tables.h"

#include <cstdio>
#include <filesystem>
#include <iomanip>
#include <sstream>
#include <utility>

#include "data/file.h"
#include "monitoring/printable.h"

namespace stc::eval {

void write_tables(const std::string& folder, const ScoreTables& tables) {
  auto files = tables.official;
  files.push_back(tables.results);
  files.push_back(tables.details);
  for (const auto& [name, content] : files)
    data::write_text(std::filesystem::path(folder) / name, content);
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
  const auto field = escaped(name);
  if (field.find_first_of(",\"\r\n") == std::string::npos) return field;
  std::string quoted = "\"";
  for (const char c : field) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

std::vector<std::string> next_csv_row(std::istream& csv) {
  std::vector<std::string> fields;
  std::string field;
  bool is_quoted = false;
  for (char c = 0; csv.get(c);) {
    if (fields.empty()) fields.emplace_back();
    if (c == '"') {
      if (is_quoted && csv.peek() == '"') {
        field += static_cast<char>(csv.get());
      } else {
        is_quoted = !is_quoted;
      }
    } else if (!is_quoted && (c == ',' || c == '\n')) {
      fields.back() = unescaped(std::exchange(field, ""));
      if (c == '\n') return fields;
      fields.emplace_back();
    } else {
      field += c;
    }
  }
  if (!fields.empty()) fields.back() = unescaped(field);
  return fields;
}

std::string TextTable::line(const std::string& name, const std::vector<std::string>& fields) const {
  std::ostringstream out;
  out << std::left << std::setw(name_width) << printable(name) << std::right;
  for (std::size_t i = 0; i < fields.size(); ++i) out << std::setw(widths.at(i)) << fields[i];
  out << '\n';
  return out.str();
}

}  // namespace stc::eval
