// Pieces of HTML that the sections of a report share. Contents are HTML, names are plain text.
#pragma once

#include <string>
#include <vector>

#include "launcher/report/evaluations.h"

namespace stc::launcher {

std::string escape_html(const std::string& plain);

/// At most `digits` after the point; short forms of the very large and the very small.
std::string short_number(double value, int digits = 3);
std::string fixed(double value);         ///< one digit after the point
std::string percent_text(double share);  ///< "61.8"; a dash if it is NaN

std::string html_page(const std::string& title, const std::string& body);  ///< needs nothing else
std::string cell(const std::string& content, bool is_best = false);
std::string text_cell(const std::string& plain);
std::string heading(const std::string& name);
std::string row_name(const std::string& name);
std::string html_table(const std::string& head, const std::string& body);
std::string folded(const std::string& title, const std::string& content);
std::string fact_table(const Facts& facts);
std::string note_lines(const std::vector<std::string>& notes);

/// Those that are best as shown, unless all of them look equal.
std::vector<bool> best_of(const std::vector<double>& values, bool lower_is_better = false);
/// One cell per value, in percent, the best ones marked.
std::string percent_cells(const std::vector<double>& values);

}  // namespace stc::launcher
