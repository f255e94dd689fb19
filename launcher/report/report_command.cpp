#include <CLI/CLI.hpp>
#include <memory>

#include "data/file.h"
#include "launcher/commands.h"
#include "launcher/report/page.h"
#include "launcher/report/pictures.h"
#include "launcher/report/runs.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

struct ReportOptions {
  std::vector<std::string> runs;
  std::string out = "report.html";
  std::size_t pictures = 12;
};

int report(const ReportOptions& options) {
  const ReportedRuns runs = read_runs(options.runs);
  const auto pictures = draw_pictures(runs.evaluations, options.pictures);
  for (const auto& note : runs.notes) log::info("{}", note);
  for (const auto& [benchmark, drawn] : pictures)
    for (const auto& note : drawn.notes) log::info("{}: {}", benchmark, note);
  const std::string page = report_page(runs, pictures);
  data::write_text(options.out, page);
  log::info("{}: {} training run(s), {} evaluation(s), {} KiB",
            options.out,
            runs.trainings.size(),
            runs.evaluations.size(),
            page.size() / 1024);
  return 0;
}

}  // namespace

void add_report(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("report", "One self-contained HTML page: curves, tables, pictures");
  command->footer(
      "Examples:\n"
      "  stc report runs/demo\n"
      "  stc report runs/pretrain runs/train eval-davis --out report.html --pictures 4");
  const auto options = std::make_shared<ReportOptions>();
  command
      ->add_option("runs",
                   options->runs,
                   "Folders of training runs and of evaluations, or folders that hold them")
      ->required();
  command->option_defaults()->always_capture_default()->group("Output");
  command->add_option("--out", options->out, "HTML file to write");
  command->add_option(
      "--pictures", options->pictures, "Clips shown as pictures per benchmark, at most");
  command->callback([options, &action] { action = [options] { return report(*options); }; });
}

}  // namespace stc::launcher
