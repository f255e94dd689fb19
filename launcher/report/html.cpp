#include "launcher/report/html.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "eval/scores/score_tables.h"
#include "launcher/report/style.h"
#include "monitoring/printable.h"
#include "monitoring/text.h"

namespace stc::launcher {

std::string escape_html(const std::string& plain) {
  static const std::map<char, std::string> kEntities = {
      {'&', "&amp;"}, {'<', "&lt;"}, {'>', "&gt;"}, {'"', "&quot;"}, {'\'', "&#39;"}};
  std::string out;
  for (const char c : printable(plain, "\t\n")) {
    const auto found = kEntities.find(c);
    out += found == kEntities.end() ? std::string(1, c) : found->second;
  }
  return out;
}

std::string short_number(double value, int digits) {
  if (!std::isfinite(value)) return "–";
  const double size = std::abs(value);
  if (size != 0 && (size >= 1e6 || size < 1e-3)) return eval::formatted("%.3g", value);
  auto number = eval::formatted(text("%.{}f", digits).c_str(), value);
  if (number.find('.') == std::string::npos) return number;
  number.erase(number.find_last_not_of('0') + 1);
  if (number.back() == '.') number.pop_back();
  return number == "-0" ? "0" : number;
}

std::string fixed(double value) { return eval::formatted("%.1f", value); }

std::string percent_text(double share) { return std::isfinite(share) ? fixed(100 * share) : "–"; }

std::string html_page(const std::string& title, const std::string& body) {
  const auto name = escape_html(title);
  return text(
      "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
      "content='width=device-width, initial-scale=1'><title>{}</title><style>{}</style></head>"
      "<body><main><h1>{}</h1>{}</main></body></html>\n",
      name,
      kReportStyle,
      name,
      body);
}

std::string cell(const std::string& content, bool is_best) {
  return (is_best ? "<td class='best'>" : "<td>") + content + "</td>";
}

std::string text_cell(const std::string& plain) {
  return "<td class='text'>" + escape_html(plain) + "</td>";
}

std::string heading(const std::string& name) {
  return "<th scope='col'>" + escape_html(name) + "</th>";
}

std::string row_name(const std::string& name) {
  return "<th scope='row'>" + escape_html(name) + "</th>";
}

std::string html_table(const std::string& head, const std::string& body) {
  return "<div class='scroll'><table><thead><tr>" + head + "</tr></thead><tbody>" + body +
         "</tbody></table></div>";
}

std::string folded(const std::string& title, const std::string& content) {
  return "<details><summary>" + escape_html(title) + "</summary>" + content + "</details>";
}

std::string fact_table(const Facts& facts) {
  std::string body;
  for (const auto& [name, value] : facts)
    body += "<tr>" + row_name(name) + text_cell(value) + "</tr>";
  return "<div class='scroll'><table class='facts'><tbody>" + body + "</tbody></table></div>";
}

std::string note_lines(const std::vector<std::string>& notes) {
  std::string html;
  for (const auto& note : notes) html += "<p class='note'>" + escape_html(note) + "</p>";
  return html;
}

std::vector<bool> best_of(const std::vector<double>& values, bool lower_is_better) {
  auto known = values;
  std::erase_if(known, [](double value) { return !std::isfinite(value); });
  std::vector<bool> best(values.size(), false);
  if (known.empty()) return best;
  const auto [low, high] = std::minmax_element(known.begin(), known.end());
  if (percent_text(*low) == percent_text(*high)) return best;
  const auto wanted = percent_text(lower_is_better ? *low : *high);
  for (std::size_t i = 0; i < values.size(); ++i) best[i] = percent_text(values[i]) == wanted;
  return best;
}

std::string percent_cells(const std::vector<double>& values) {
  const auto best = best_of(values);
  std::string cells;
  for (std::size_t i = 0; i < values.size(); ++i) cells += cell(percent_text(values[i]), best[i]);
  return cells;
}

}  // namespace stc::launcher
