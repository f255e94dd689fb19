#include "launcher/report/page.h"

#include "launcher/report/benchmark.h"
#include "launcher/report/chart.h"
#include "launcher/report/html.h"
#include "launcher/report/style.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

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
  std::string html = text(
      "<!doctype html><html lang='en'><head><meta charset='utf-8'><meta name='viewport' "
      "content='width=device-width, initial-scale=1'><title>stc "
      "report</title><style>{}</style></head><body><main><h1>stc report</h1>{}",
      kReportStyle,
      note_lines(runs.notes));
  for (const auto& form : benchmark_forms()) {
    const auto evaluations = evaluations_of(form, runs.evaluations);
    if (evaluations.empty()) continue;
    const auto drawn = pictures.find(form.name);
    html +=
        benchmark_section(form, evaluations, drawn == pictures.end() ? Pictures{} : drawn->second);
  }
  for (const auto& run : runs.trainings) html += training_section(run);
  return html + "</main></body></html>\n";
}

}  // namespace stc::launcher
