// The one table of a sweep: a line per combination, as CSV, JSON, HTML and text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace stc::launcher {

/// Column and value; values are strings and numbers.
using SweepRow = nlohmann::ordered_json;

/// Highest number first, strings in alphabetical order; rows without the column last. Throws
/// stc::Error (kUsage) naming the columns if none of them has that name.
std::vector<SweepRow> sorted_rows(std::vector<SweepRow> rows, const std::string& column);

std::string sweep_csv(const std::vector<SweepRow>& rows);   ///< numbers with 17 digits
std::string sweep_text(const std::vector<SweepRow>& rows);  ///< for the terminal
std::string sweep_page(const std::vector<SweepRow>& rows, const std::string& title);

}  // namespace stc::launcher
