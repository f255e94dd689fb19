// Charts as inline SVG; colours come from the page's style sheet (classes c0, c1, ... , light and
// dark).
#pragma once

#include <string>
#include <vector>

namespace stc::launcher {

struct ChartLine {
  std::string label;
  std::vector<double> x, y;  ///< equal lengths, x ascending; a y that is not finite is left out
};

/// Long lines are drawn as means of neighbouring points, with a band from their minimum to their
/// maximum. Several lines get a legend below. With `unit_range` the y axis is 0..1.
std::string line_chart(const std::string& title,
                       const std::string& x_name,
                       const std::vector<ChartLine>& lines,
                       bool unit_range = false);

struct SpreadRow {
  std::string label;
  double mean = 0;                 ///< drawn as a bar across, unless NaN
  std::vector<std::string> names;  ///< one per value, shown under the pointer
  std::vector<double> values;      ///< in 0..1, drawn as dots
};

std::string spread_chart(const std::string& title, const std::vector<SpreadRow>& rows);

}  // namespace stc::launcher
