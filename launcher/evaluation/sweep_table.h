// The one table of a sweep: a line a combination, as CSV, JSON, HTML and text.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace stc::launcher {

/// Column and value; values are texts and numbers.
using SweepRow = nlohmann::ordered_json;

/// Highest number first, texts in their order; rows without the column last. Throws stc::Error
/// (kUsage) naming the columns where none of them has that name.
void sort_rows(std::vector<SweepRow>* rows, const std::string& column);

std::string sweep_csv(const std::vector<SweepRow>& rows);   ///< numbers with 17 digits
std::string sweep_text(const std::vector<SweepRow>& rows);  ///< for the terminal
std::string sweep_page(const std::vector<SweepRow>& rows, const std::string& title);

}  // namespace stc::launcher
