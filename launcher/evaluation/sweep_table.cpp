#include "launcher/evaluation/sweep_table.h"

#include <algorithm>
#include <cstdio>
#include <map>

#include "launcher/report/html.h"
#include "launcher/report/style.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

// In the order in which rows bring them.
std::vector<std::string> columns_of(const std::vector<SweepRow>& rows) {
  std::vector<std::string> columns;
  for (const auto& row : rows)
    for (const auto& [name, value] : row.items())
      if (std::find(columns.begin(), columns.end(), name) == columns.end()) columns.push_back(name);
  return columns;
}

std::string exact(const SweepRow& value) {
  if (value.is_null()) return "";
  if (!value.is_number_float()) return value.is_string() ? value.get<std::string>() : value.dump();
  char buffer[40];
  std::snprintf(buffer, sizeof(buffer), "%.17g", value.get<double>());
  return buffer;
}

std::string shown(const SweepRow& value) {
  if (!value.is_number_float()) return exact(value);
  char buffer[40];
  std::snprintf(buffer, sizeof(buffer), "%.4g", value.get<double>());
  return buffer;
}

SweepRow at(const SweepRow& row, const std::string& column) {
  return row.contains(column) ? row.at(column) : SweepRow();
}

std::string quoted(const std::string& field) {
  if (field.find_first_of(",\"\n") == std::string::npos) return field;
  std::string out = "\"";
  for (const char c : field) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

bool comes_first(const SweepRow& a, const SweepRow& b) {
  if (a.is_number() && b.is_number()) return a.get<double>() > b.get<double>();
  if (a.is_string() && b.is_string()) return a.get<std::string>() < b.get<std::string>();
  return !a.is_null() && b.is_null();
}

}  // namespace

void sort_rows(std::vector<SweepRow>* rows, const std::string& column) {
  const auto columns = columns_of(*rows);
  std::string known;
  for (const auto& name : columns) known += (known.empty() ? "" : ", ") + name;
  STC_CHECK_USAGE(std::find(columns.begin(), columns.end(), column) != columns.end(),
                  "sort = \"{}\": the table has no such column; it has {}",
                  column,
                  known);
  std::stable_sort(rows->begin(), rows->end(), [&](const SweepRow& a, const SweepRow& b) {
    return comes_first(at(a, column), at(b, column));
  });
}

std::string sweep_csv(const std::vector<SweepRow>& rows) {
  const auto columns = columns_of(rows);
  std::string csv;
  for (const auto& column : columns) csv += (csv.empty() ? "" : ",") + quoted(column);
  csv += "\n";
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < columns.size(); ++i)
      csv += (i == 0 ? "" : ",") + quoted(exact(at(row, columns[i])));
    csv += "\n";
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
  for (const auto& column : columns) head += "<th scope='col'>" + escape_html(column) + "</th>";
  for (const auto& row : rows) {
    body += "<tr>";
    const bool is_best = row.at("score").get<double>() == best[exact(at(row, "benchmark"))];
    for (const auto& column : columns) {
      const auto content = escape_html(shown(at(row, column)));
      if (column == columns.front()) {
        body += "<th scope='row'>" + content + "</th>";
      } else {
        body += (is_best && column == "score" ? "<td class='best'>" : "<td>") + content + "</td>";
      }
    }
    body += "</tr>";
  }
  return text(
      "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
      "content='width=device-width, "
      "initial-scale=1'><title>{}</title><style>{}</style></head><body><main><h1>{}</"
      "h1><section><div "
      "class='scroll'><table><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div><p "
      "class='note'>score is the number that ranks results of a benchmark; the best of each is "
      "marked.</p></section></main></body></html>\n",
      escape_html(title),
      kReportStyle,
      escape_html(title),
      head,
      body);
}

}  // namespace stc::launcher
