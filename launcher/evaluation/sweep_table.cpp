#include "launcher/evaluation/sweep_table.h"

#include <algorithm>
#include <map>
#include <ranges>

#include "eval/scores/score_tables.h"
#include "launcher/report/html.h"
#include "monitoring/check.h"
#include "monitoring/printable.h"

namespace stc::launcher {
namespace {

// In the order in which they first appear.
std::vector<std::string> columns_of(const std::vector<SweepRow>& rows) {
  std::vector<std::string> columns;
  for (const auto& row : rows)
    for (const auto& [name, value] : row.items())
      if (std::ranges::count(columns, name) == 0) columns.push_back(name);
  return columns;
}

std::string printed(const SweepRow& value, const char* number_format) {
  if (value.is_null()) return "";
  if (value.is_string()) return value.get<std::string>();
  return value.is_number_float() ? eval::formatted(number_format, value.get<double>())
                                 : value.dump();
}

std::string exact(const SweepRow& value) { return printed(value, "%.17g"); }
std::string shown(const SweepRow& value) { return printable(printed(value, "%.4g")); }

SweepRow at(const SweepRow& row, const std::string& column) {
  return row.contains(column) ? row.at(column) : SweepRow();
}

bool comes_first(const SweepRow& a, const SweepRow& b) {
  if (a.is_number() && b.is_number()) return a.get<double>() > b.get<double>();
  if (a.is_string() && b.is_string()) return a.get<std::string>() < b.get<std::string>();
  return !a.is_null() && b.is_null();
}

}  // namespace

std::vector<SweepRow> sorted_rows(std::vector<SweepRow> rows, const std::string& column) {
  const auto columns = columns_of(rows);
  STC_CHECK_USAGE(std::ranges::count(columns, column) == 1,
                  "sort = \"{}\": the table has no such column; it has {}",
                  column,
                  joined(columns));
  std::stable_sort(rows.begin(), rows.end(), [&](const SweepRow& a, const SweepRow& b) {
    return comes_first(at(a, column), at(b, column));
  });
  return rows;
}

std::string sweep_csv(const std::vector<SweepRow>& rows) {
  const auto columns = columns_of(rows);
  auto csv = joined(columns, eval::csv_field, ",") + "\n";
  for (const auto& row : rows) {
    const auto field = [&](const std::string& name) {
      return eval::csv_field(exact(at(row, name)));
    };
    csv += joined(columns, field, ",") + "\n";
  }
  return csv;
}

std::string sweep_text(const std::vector<SweepRow>& rows) {
  const auto columns = columns_of(rows);
  std::map<std::string, std::size_t> width;
  for (const auto& column : columns) {
    width[column] = column.size();
    for (const auto& row : rows)
      width[column] = std::max(width[column], shown(at(row, column)).size());
  }
  std::string out;
  const auto add = [&](const std::string& column, const std::string& content, bool left) {
    const std::string gap(width[column] - content.size(), ' ');
    out += (left ? content + gap : gap + content) + "  ";
  };
  for (const auto& column : columns) add(column, column, true);
  for (const auto& row : rows) {
    out += "\n";
    for (const auto& column : columns)
      add(column, shown(at(row, column)), !at(row, column).is_number());
  }
  return out + "\n";
}

std::string sweep_page(const std::vector<SweepRow>& rows, const std::string& title) {
  const auto columns = columns_of(rows);
  std::map<std::string, double> best;  // of each benchmark
  for (const auto& row : rows) {
    const auto benchmark = exact(at(row, "benchmark"));
    const auto score = row.at("score").get<double>();
    if (!best.contains(benchmark) || score > best[benchmark]) best[benchmark] = score;
  }
  std::string head, body;
  for (const auto& column : columns) head += heading(column);
  for (const auto& row : rows) {
    body += "<tr>" + row_name(shown(at(row, columns.front())));
    const bool is_best = row.at("score").get<double>() == best[exact(at(row, "benchmark"))];
    for (const auto& column : columns | std::views::drop(1))
      body += cell(escape_html(shown(at(row, column))), is_best && column == "score");
    body += "</tr>";
  }
  const auto note =
      "score is the number that ranks results of a benchmark; the best of each is marked.";
  return html_page(title, "<section>" + html_table(head, body) + note_lines({note}) + "</section>");
}

}  // namespace stc::launcher
