#include "launcher/report/benchmark.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "launcher/report/chart.h"
#include "launcher/report/html.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

using Evaluations = std::vector<ReportedEvaluation>;

constexpr double kNothing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMostNamed = 3;      // best and worst clips
constexpr std::size_t kMostOpenRows = 30;  // longer tables are folded

/// Standard deviation with n - 1; 0 for one clip.
double deviation(const std::vector<ReportedClip>& clips) {
  const auto n = static_cast<double>(clips.size());
  double mean = 0, square = 0;
  for (const auto& clip : clips) mean += clip.score / n;
  for (const auto& clip : clips) square += (clip.score - mean) * (clip.score - mean);
  return n < 2 ? 0 : std::sqrt(square / (n - 1));
}

std::string spread_cells(const ReportedEvaluation& evaluation) {
  const auto ranked = ranked_clips(evaluation);
  std::string cells;
  for (const double value : {ranked.empty() ? kNothing : ranked.back().score,
                             ranked.empty() ? kNothing : ranked.front().score,
                             ranked.empty() ? kNothing : deviation(ranked)})
    cells += cell(percent_text(value));
  return cells + cell(std::to_string(evaluation.clips.size()));
}

std::string summary_table(const BenchmarkForm& form, const Evaluations& evaluations) {
  std::string head = heading("weights");
  std::vector<std::vector<bool>> best;
  for (std::size_t m = 0; m < form.measures.size(); ++m) {
    const auto& measure = form.measures[m];
    head += heading(measure.name);
    std::vector<double> values;
    for (const auto& e : evaluations) values.push_back(e.measures[m]);
    best.push_back(best_of(values, measure.lower_is_better));
  }
  head += heading("lowest " + form.clip) + heading("highest") + heading("s.d.") +
          heading(form.clip + "s");
  std::string body;
  for (std::size_t i = 0; i < evaluations.size(); ++i) {
    body += "<tr>" + row_name(evaluations[i].label);
    for (std::size_t m = 0; m < form.measures.size(); ++m)
      body += cell(percent_text(evaluations[i].measures[m]), best[m][i]);
    body += spread_cells(evaluations[i]) + "</tr>";
  }
  return html_table(head, body) +
         note_lines({text("In percent. {} Lowest, highest and s.d. are those of the {}s' {}.",
                          form.explanation,
                          form.clip,
                          form.measures.front().name)});
}

std::string spread(const BenchmarkForm& form, const Evaluations& evaluations) {
  std::vector<SpreadRow> rows;
  for (const auto& e : evaluations) {
    rows.push_back({e.label, e.score(), {}, {}});
    for (const auto& clip : ranked_clips(e)) {
      rows.back().names.push_back(clip.name);
      rows.back().values.push_back(clip.score);
    }
  }
  return spread_chart(text("{}: each dot a {}, the bar the benchmark's number",
                           form.measures.front().name,
                           form.clip),
                      rows);
}

template <typename Clips>
std::string named(Clips first, Clips last) {
  std::string list;
  for (; first != last; ++first)
    list += text("{}{} {}", list.empty() ? "" : ", ", first->name, percent_text(first->score));
  return list;
}

/// Best and worst clips by name; "" where there are not two to tell apart.
std::string extremes(const BenchmarkForm& form, const Evaluations& evaluations) {
  std::string body;
  for (const auto& e : evaluations) {
    const auto ranked = ranked_clips(e);
    const auto count = static_cast<std::ptrdiff_t>(std::min(kMostNamed, ranked.size() / 2));
    if (count == 0) continue;
    body += "<tr>" + row_name(e.label) + text_cell(named(ranked.begin(), ranked.begin() + count)) +
            text_cell(named(ranked.rbegin(), ranked.rbegin() + count)) + "</tr>";
  }
  if (body.empty()) return "";
  const auto names = form.clip + "s";
  return "<h3>Best and worst " + names + "</h3><div class='names'>" +
         html_table(heading("weights") + heading("best first") + heading("worst first"), body) +
         "</div>";
}

/// Of any evaluation, in the order in which they come up.
std::vector<ReportedClip> all_clips(const Evaluations& evaluations) {
  std::vector<ReportedClip> clips;
  for (const auto& e : evaluations)
    for (const auto& clip : e.clips)
      if (std::none_of(
              clips.begin(), clips.end(), [&](const auto& c) { return c.name == clip.name; }))
        clips.push_back(clip);
  return clips;
}

double score_of(const ReportedEvaluation& evaluation, const std::string& clip) {
  for (const auto& c : evaluation.clips)
    if (c.name == clip) return c.score;
  return kNothing;
}

double part_of(const ReportedEvaluation& evaluation, const std::string& part) {
  for (const auto& [name, value] : evaluation.parts)
    if (name == part) return value;
  return kNothing;
}

std::string label_headings(const Evaluations& evaluations) {
  std::string head;
  for (const auto& e : evaluations) head += heading(e.label);
  return head;
}

std::string clip_table(const BenchmarkForm& form, const Evaluations& evaluations) {
  const auto clips = all_clips(evaluations);
  if (clips.empty()) return "";
  const bool has_objects =
      std::any_of(clips.begin(), clips.end(), [](const auto& clip) { return clip.objects > 0; });
  const auto head = heading(form.clip) + (has_objects ? heading("objects") : "") +
                    heading("frames") + label_headings(evaluations);
  std::string body;
  for (const auto& clip : clips) {
    body += "<tr>" + row_name(clip.name) + (has_objects ? cell(std::to_string(clip.objects)) : "") +
            cell(std::to_string(clip.frames));
    std::vector<double> scores;
    for (const auto& e : evaluations) scores.push_back(score_of(e, clip.name));
    body += percent_cells(scores) + "</tr>";
  }
  const auto title = text("{} by {}", form.measures.front().name, form.clip);
  const auto table = html_table(head, body);
  if (clips.size() > kMostOpenRows) return folded(text("{} ({})", title, clips.size()), table);
  return "<h3>" + escape_html(title) + "</h3>" + table;
}

std::string part_table(const BenchmarkForm& form, const Evaluations& evaluations) {
  std::vector<std::string> names;
  for (const auto& e : evaluations)
    for (const auto& [name, value] : e.parts)
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  if (names.empty()) return "";
  std::string body;
  for (const auto& name : names) {
    std::vector<double> values;
    for (const auto& e : evaluations) values.push_back(part_of(e, name));
    body += "<tr>" + row_name(name) + percent_cells(values) + "</tr>";
  }
  return "<h3>" + escape_html(text("{} by {}", form.part_score_name, form.part)) + "</h3>" +
         html_table(heading(form.part) + label_headings(evaluations), body);
}

std::string frame_charts(const Evaluations& evaluations) {
  std::string charts;
  for (const auto& clip : all_clips(evaluations)) {
    std::vector<ChartLine> lines;
    for (const auto& e : evaluations) {
      const auto found = e.frames.find(clip.name);
      // An evaluation without the sequence keeps its place, so that colours mean the same in every
      // chart.
      lines.push_back(found == e.frames.end() ? ChartLine{} : found->second);
      lines.back().label = e.label;
    }
    const bool is_empty = std::all_of(
        lines.begin(), lines.end(), [](const ChartLine& line) { return line.x.empty(); });
    if (!is_empty) charts += line_chart(clip.name, "scored frame", lines, /*unit_range=*/true);
  }
  return charts.empty() ? "" : folded("J&F over time", "<div class='charts'>" + charts + "</div>");
}

std::string picture_figures(const Pictures& pictures) {
  if (pictures.clips.empty() && pictures.notes.empty()) return "";
  std::string html = "<h3>Pictures</h3>";
  for (const auto& picture : pictures.clips) {
    std::string rows;
    for (const auto& row : picture.rows) rows += (rows.empty() ? "" : ", ") + row;
    if (picture.rows.size() > 1) rows = "from the top: " + rows;
    html += "<figure class='wide'><figcaption>" + escape_html(picture.clip) + "<span>" +
            escape_html(rows) + "</span></figcaption><div class='scroll'><img alt='frames of " +
            escape_html(picture.clip) + "' src='data:image/jpeg;base64," + picture.jpeg_base64 +
            "'></div></figure>";
  }
  return html + note_lines(pictures.notes);
}

std::string details_of(const ReportedEvaluation& evaluation) {
  auto html = folded(evaluation.label + ": " + evaluation.path, fact_table(evaluation.facts));
  if (evaluation.notes.empty()) return html;
  return html + folded(text("Notes of {} ({})", evaluation.label, evaluation.notes.size()),
                       note_lines(evaluation.notes));
}

}  // namespace

std::string benchmark_section(const BenchmarkForm& form,
                              const Evaluations& evaluations,
                              const Pictures& pictures) {
  auto html = "<section><h2>" + form.title + "</h2>" + summary_table(form, evaluations) +
              spread(form, evaluations) + extremes(form, evaluations) + picture_figures(pictures) +
              clip_table(form, evaluations) + part_table(form, evaluations) +
              frame_charts(evaluations);
  for (const auto& evaluation : evaluations) html += details_of(evaluation);
  return html + "</section>";
}

}  // namespace stc::launcher
