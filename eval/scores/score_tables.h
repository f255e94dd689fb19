// Scores as tables: what `stc eval` and `stc score` write and print.
#pragma once

#include <istream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace stc::eval {

using Json = nlohmann::ordered_json;

struct TableFile {
  std::string name;  ///< "results.csv"
  std::string content;
};

/// Numbers of the CSV files have 17 significant digits, unless they are in an official form.
struct ScoreTables {
  Json numbers;                          ///< one object, for results.json
  std::string text;                      ///< for the terminal
  std::string score_name;                ///< of the number that ranks results: "J&F"
  std::optional<double> score;           ///< in 0..1; none if nothing was scored
  TableFile results;                     ///< a line per object, joint or part
  TableFile details;                     ///< a line per frame or clip
  std::vector<TableFile> official = {};  ///< in the form of the benchmark's own scripts
};

/// All files of the tables.
void write_tables(const std::string& folder, const ScoreTables& tables);

std::string formatted(const char* format, double value);  ///< by printf's rules

std::string exact(double value);    ///< 17 significant digits: reading it gives `value` again
std::string percent(double share);  ///< 0.5 -> "50.0"

/// For a share of nothing: "", "-" and null.
std::string exact(const std::optional<double>& share);
std::string percent(const std::optional<double>& share);
Json json_of(const std::optional<double>& share);

/// One field of a CSV line; quoted if the name would break the line.
std::string csv_field(const std::string& name);
/// The fields of the next row of a CSV, as csv_field() was given them; none at the end. A quoted
/// field may hold line breaks.
std::vector<std::string> next_csv_row(std::istream& csv);

/// Lines for the terminal: a name on the left, then right-aligned columns.
struct TextTable {
  int name_width = 0;
  std::vector<int> widths;  ///< of the columns

  /// May have fewer fields than the table has columns.
  std::string line(const std::string& name, const std::vector<std::string>& fields) const;
};

}  // namespace stc::eval
