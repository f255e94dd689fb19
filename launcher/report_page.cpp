#include "launcher/report_page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>

#include "launcher/report_chart.h"
#include "launcher/report_style.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

std::string percent(double share) {
  char buffer[32];
  std::snprintf(buffer, sizeof(buffer), "%.1f", 100 * share);
  return buffer;
}

std::string cell(const std::string& content, bool is_best = false) {
  return (is_best ? "<td class='best'>" : "<td>") + content + "</td>";
}

std::string heading(const std::string& content) { return "<th scope='col'>" + content + "</th>"; }
std::string row_name(const std::string& name) {
  return "<th scope='row'>" + escape_html(name) + "</th>";
}

std::string table(const std::string& head, const std::string& body) {
  return "<div class='scroll'><table><thead><tr>" + head + "</tr></thead><tbody>" + body +
         "</tbody></table></div>";
}

std::string folded(const std::string& title, const std::string& content) {
  return "<details><summary>" + escape_html(title) + "</summary>" + content + "</details>";
}

std::string fact_table(const Facts& facts) {
  std::string body;
  for (const auto& [name, value] : facts) {
    body += "<tr>" + row_name(name) + "<td class='text'>" + escape_html(value) + "</td></tr>";
  }
  return "<div class='scroll'><table class='facts'><tbody>" + body + "</tbody></table></div>";
}

/// Standard deviation of the sequences' values, with n - 1; 0 for one sequence.
double deviation(const std::vector<eval::SequenceScore>& sequences) {
  const auto n = static_cast<double>(sequences.size());
  double mean = 0, square = 0;
  for (const auto& s : sequences) mean += s.jf_mean() / n;
  for (const auto& s : sequences) square += (s.jf_mean() - mean) * (s.jf_mean() - mean);
  return n < 2 ? 0 : std::sqrt(square / (n - 1));
}

std::string summary_table(const std::vector<ReportedEvaluation>& evaluations) {
  double best = 0;
  for (const auto& e : evaluations) best = std::max(best, e.jf_mean);
  std::string head = heading("weights");
  for (const char* name : {"J&amp;F",
                           "lowest",
                           "highest",
                           "s.d.",
                           "J mean",
                           "J recall",
                           "J decay",
                           "F mean",
                           "F recall",
                           "F decay",
                           "sequences"}) {
    head += heading(name);
  }
  std::string body;
  for (const auto& e : evaluations) {
    double low = 1, high = 0;
    for (const auto& s : e.sequences) {
      low = std::min(low, s.jf_mean());
      high = std::max(high, s.jf_mean());
    }
    body += "<tr>" + row_name(e.label) +
            cell(percent(e.jf_mean), evaluations.size() > 1 && e.jf_mean == best);
    for (const double value : {low,
                               high,
                               deviation(e.sequences),
                               e.j.mean,
                               e.j.recall,
                               e.j.decay,
                               e.f.mean,
                               e.f.recall,
                               e.f.decay}) {
      body += cell(percent(value));
    }
    body += cell(std::to_string(e.sequences.size())) + "</tr>";
  }
  return table(head, body) +
         "<p class='note'>In percent. J&amp;F, J and F are means over objects; lowest, highest and "
         "s.d. are those of the "
         "sequences' J&amp;F.</p>";
}

std::vector<std::string> sequence_names(const std::vector<ReportedEvaluation>& evaluations) {
  std::vector<std::string> names;
  for (const auto& e : evaluations) {
    for (const auto& s : e.sequences) {
      if (std::find(names.begin(), names.end(), s.sequence) == names.end())
        names.push_back(s.sequence);
    }
  }
  return names;
}

const eval::SequenceScore* score_of(const ReportedEvaluation& evaluation,
                                    const std::string& sequence) {
  for (const auto& s : evaluation.sequences) {
    if (s.sequence == sequence) return &s;
  }
  return nullptr;
}

std::string sequence_table(const std::vector<ReportedEvaluation>& evaluations) {
  std::string head = heading("sequence") + heading("objects") + heading("frames");
  for (const auto& e : evaluations) head += heading(escape_html(e.label));
  std::string body;
  for (const auto& name : sequence_names(evaluations)) {
    const eval::SequenceScore* any = nullptr;
    double best = 0;
    for (const auto& e : evaluations) {
      const auto* score = score_of(e, name);
      if (score == nullptr) continue;
      any = score;
      best = std::max(best, score->jf_mean());
    }
    body += "<tr>" + row_name(name) + cell(std::to_string(any->objects)) +
            cell(std::to_string(any->frames));
    for (const auto& e : evaluations) {
      const auto* score = score_of(e, name);
      body += score == nullptr ? cell("–")
                               : cell(percent(score->jf_mean()),
                                      evaluations.size() > 1 && score->jf_mean() == best);
    }
    body += "</tr>";
  }
  return table(head, body);
}

std::string spread(const std::vector<ReportedEvaluation>& evaluations) {
  std::vector<SpreadRow> rows;
  for (const auto& e : evaluations) {
    rows.push_back({e.label, e.jf_mean, {}, {}});
    for (const auto& s : e.sequences) {
      rows.back().names.push_back(s.sequence);
      rows.back().values.push_back(s.jf_mean());
    }
  }
  return spread_chart(rows);
}

std::string frame_charts(const std::vector<ReportedEvaluation>& evaluations) {
  std::string charts;
  for (const auto& name : sequence_names(evaluations)) {
    std::vector<ChartLine> lines;
    for (const auto& e : evaluations) {
      const auto found = e.frames.find(name);
      // An evaluation without the sequence keeps its place, so that colours mean the same in every
      // chart.
      lines.push_back(found == e.frames.end() ? ChartLine{} : found->second);
      lines.back().label = e.label;
    }
    const bool is_empty = std::all_of(
        lines.begin(), lines.end(), [](const ChartLine& line) { return line.x.empty(); });
    if (!is_empty) charts += line_chart(name, "scored frame", lines, /*unit_range=*/true);
  }
  return charts.empty() ? "" : folded("J&F over time", "<div class='charts'>" + charts + "</div>");
}

std::string evaluation_section(const std::vector<ReportedEvaluation>& evaluations) {
  if (evaluations.empty()) return "";
  std::string html = "<section><h2>ReportedEvaluation</h2>" + summary_table(evaluations) +
                     spread(evaluations) + "<h3>J&amp;F by sequence</h3>" +
                     sequence_table(evaluations) + frame_charts(evaluations);
  for (const auto& e : evaluations) html += folded(e.label + ": " + e.path, fact_table(e.facts));
  return html + "</section>";
}

std::string picture_section(const Pictures& pictures) {
  if (pictures.sequences.empty() && pictures.notes.empty()) return "";
  std::string html = "<section><h2>Masks</h2>";
  for (const auto& picture : pictures.sequences) {
    std::string rows;
    for (const auto& row : picture.rows) rows += (rows.empty() ? "" : ", ") + escape_html(row);
    html += "<figure class='wide'><figcaption>" + escape_html(picture.sequence) +
            "<span>from the top: " + rows +
            "</span></figcaption><div class='scroll'><img alt='masks of " +
            escape_html(picture.sequence) + "' src='data:image/jpeg;base64," + picture.jpeg_base64 +
            "'></div></figure>";
  }
  for (const auto& note : pictures.notes) html += "<p class='note'>" + escape_html(note) + "</p>";
  return html + "</section>";
}

std::string training_section(const TrainingRun& run) {
  std::string html = "<section><h2>Training: " + escape_html(run.path) + "</h2>";
  if (run.summary.empty()) html += "<p class='note'>This run has not finished.</p>";
  std::string charts;
  for (const auto& curve : run.curves) charts += line_chart(curve.label, "step", {curve});
  html += "<div class='charts'>" + charts + "</div>";
  if (!run.summary.empty()) html += folded("Summary", fact_table(run.summary));
  if (!run.config.empty())
    html += folded("Configuration", "<pre>" + escape_html(run.config) + "</pre>");
  return html + "</section>";
}

}  // namespace

std::string report_page(const ReportedRuns& runs, const Pictures& pictures) {
  std::string html = text(
      "<!doctype html><html lang='en'><head><meta charset='utf-8'>"
      "<meta name='viewport' content='width=device-width, initial-scale=1'><title>stc "
      "report</title><style>",
      kReportStyle,
      "</style></head><body><main><h1>stc report</h1>");
  html += evaluation_section(runs.evaluations) + picture_section(pictures);
  for (const auto& run : runs.trainings) html += training_section(run);
  return html + "</main></body></html>\n";
}

}  // namespace stc::launcher
