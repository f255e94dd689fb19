#include "launcher/report/page.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <ranges>

#include "launcher/report/chart.h"
#include "launcher/report/html.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t kMaxNamed = 3;      // best and worst clips
constexpr std::size_t kMaxOpenRows = 30;  // longer tables are folded

/// Standard deviation with n - 1; 0 for one clip.
double deviation(const std::vector<ScoredItem>& clips) {
  const auto n = static_cast<double>(clips.size());
  double mean = 0, square = 0;
  for (const auto& clip : clips) mean += clip.score / n;
  for (const auto& clip : clips) square += (clip.score - mean) * (clip.score - mean);
  return n < 2 ? 0 : std::sqrt(square / (n - 1));
}

std::string spread_cells(const ReportedEvaluation& evaluation) {
  const auto ranked = ranked_clips(evaluation);
  std::string cells;
  for (const double value : {ranked.empty() ? kMissing : ranked.back().score,
                             ranked.empty() ? kMissing : ranked.front().score,
                             ranked.empty() ? kMissing : deviation(ranked)})
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
  return spread_chart(text("{}: each dot is a {}, the bar the benchmark's number",
                           form.measures.front().name,
                           form.clip),
                      rows);
}

/// Best and worst clips by name; "" if there are fewer than two.
std::string extremes(const BenchmarkForm& form, const Evaluations& evaluations) {
  std::string body;
  for (const auto& e : evaluations) {
    const auto ranked = ranked_clips(e);
    const auto count = std::min(kMaxNamed, ranked.size() / 2);
    if (count == 0) continue;
    const auto named = [](const ScoredItem& clip) {
      return text("{} {}", clip.name, percent_text(clip.score));
    };
    const auto best = joined(ranked | std::views::take(count), named);
    const auto worst = joined(ranked | std::views::reverse | std::views::take(count), named);
    body += "<tr>" + row_name(e.label) + text_cell(best) + text_cell(worst) + "</tr>";
  }
  if (body.empty()) return "";
  const auto names = form.clip + "s";
  return "<h3>Best and worst " + names + "</h3><div class='names'>" +
         html_table(heading("weights") + heading("best first") + heading("worst first"), body) +
         "</div>";
}

using ItemList = std::vector<ScoredItem> ReportedEvaluation::*;  // its clips or its parts

/// Those of any evaluation, each once, in order of appearance.
std::vector<ScoredItem> all_items(const Evaluations& evaluations, ItemList list) {
  std::vector<ScoredItem> items;
  for (const auto& e : evaluations)
    for (const auto& item : e.*list)
      if (std::ranges::find(items, item.name, &ScoredItem::name) == items.end())
        items.push_back(item);
  return items;
}

/// The scores of the item `name`, one cell per evaluation.
std::string score_cells(const Evaluations& evaluations, ItemList list, const std::string& name) {
  std::vector<double> scores;
  for (const auto& e : evaluations) {
    const auto found = std::ranges::find(e.*list, name, &ScoredItem::name);
    scores.push_back(found == (e.*list).end() ? kMissing : found->score);
  }
  return percent_cells(scores);
}

std::string label_headings(const Evaluations& evaluations) {
  std::string head;
  for (const auto& e : evaluations) head += heading(e.label);
  return head;
}

std::string clip_table(const BenchmarkForm& form, const Evaluations& evaluations) {
  const auto clips = all_items(evaluations, &ReportedEvaluation::clips);
  if (clips.empty()) return "";
  const bool has_objects =
      std::ranges::any_of(clips, [](const auto& clip) { return clip.objects > 0; });
  const auto head = heading(form.clip) + (has_objects ? heading("objects") : "") +
                    heading("frames") + label_headings(evaluations);
  std::string body;
  for (const auto& clip : clips) {
    body += "<tr>" + row_name(clip.name) + (has_objects ? cell(std::to_string(clip.objects)) : "") +
            cell(std::to_string(clip.frames)) +
            score_cells(evaluations, &ReportedEvaluation::clips, clip.name) + "</tr>";
  }
  const auto title = text("{} by {}", form.measures.front().name, form.clip);
  const auto table = html_table(head, body);
  if (clips.size() > kMaxOpenRows) return folded(text("{} ({})", title, clips.size()), table);
  return "<h3>" + escape_html(title) + "</h3>" + table;
}

std::string part_table(const BenchmarkForm& form, const Evaluations& evaluations) {
  std::string body;
  for (const auto& part : all_items(evaluations, &ReportedEvaluation::parts))
    body += "<tr>" + row_name(part.name) +
            score_cells(evaluations, &ReportedEvaluation::parts, part.name) + "</tr>";
  if (body.empty()) return "";
  return "<h3>" + escape_html(text("{} by {}", form.part_score_name, form.part)) + "</h3>" +
         html_table(heading(form.part) + label_headings(evaluations), body);
}

std::string frame_charts(const Evaluations& evaluations) {
  std::string charts;
  for (const auto& clip : all_items(evaluations, &ReportedEvaluation::clips)) {
    std::vector<ChartLine> lines;
    for (const auto& e : evaluations) {
      const auto found = e.frames.find(clip.name);
      // An evaluation without the sequence keeps its place, and so its colour in every chart.
      lines.push_back(found == e.frames.end() ? ChartLine{} : found->second);
      lines.back().label = e.label;
    }
    const auto is_empty = [](const ChartLine& line) { return line.x.empty(); };
    if (!std::ranges::all_of(lines, is_empty))
      charts += line_chart(clip.name, "scored frame", lines, /*unit_range=*/true);
  }
  return charts.empty() ? "" : folded("J&F over time", "<div class='charts'>" + charts + "</div>");
}

std::string picture_figures(const Pictures& pictures) {
  if (pictures.clips.empty() && pictures.notes.empty()) return "";
  std::string html = "<h3>Pictures</h3>";
  for (const auto& picture : pictures.clips) {
    const auto rows = (picture.rows.size() > 1 ? "from the top: " : "") + joined(picture.rows);
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

std::string training_section(const TrainingRun& run) {
  std::string html = "<section><h2>Training: " + escape_html(run.path) + "</h2>";
  if (run.summary.empty()) html += note_lines({"This run has not finished."});
  std::string charts;
  for (const auto& curve : run.curves) charts += line_chart(curve.label, "step", {curve});
  html += "<div class='charts'>" + charts + "</div>";
  if (!run.summary.empty()) html += folded("Summary", fact_table(run.summary));
  if (!run.config.empty())
    html += folded("Configuration", "<pre>" + escape_html(run.config) + "</pre>");
  return html + "</section>";
}

}  // namespace

std::string report_page(const ReportedRuns& runs, const std::map<std::string, Pictures>& pictures) {
  auto html = note_lines(runs.notes);
  for (const auto& form : benchmark_forms()) {
    const auto evaluations = evaluations_of(form, runs.evaluations);
    if (evaluations.empty()) continue;
    const auto drawn = pictures.find(form.name);
    html +=
        benchmark_section(form, evaluations, drawn == pictures.end() ? Pictures{} : drawn->second);
  }
  for (const auto& run : runs.trainings) html += training_section(run);
  return html_page("stc report", html);
}

}  // namespace stc::launcher
