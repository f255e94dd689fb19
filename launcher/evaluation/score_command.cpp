#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "data/file.h"
#include "launcher/commands.h"
#include "launcher/evaluation/benchmarks.h"
#include "monitoring/check.h"
#include "monitoring/json_text.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

void write_and_print(const ScoreArguments& arguments, const eval::ScoreTables& tables) {
  const auto json = json_text(tables.numbers, 2) + "\n";
  const bool prints_json = arguments.json == "-";
  if (!arguments.csv.empty()) data::write_text(arguments.csv, tables.results.content);
  if (!arguments.details.empty()) data::write_text(arguments.details, tables.details.content);
  if (!arguments.json.empty() && !prints_json) data::write_text(arguments.json, json);
  std::fputs((prints_json ? json : tables.text).c_str(), stdout);
}

int score(const BenchmarkEntry& benchmark, const ScoreArguments& arguments) {
  STC_CHECK_USAGE(
      arguments.davis.rule == eval::ScoreRule::kOfficial || !arguments.davis.drop_unknown,
      "--drop-unknown belongs to --rule official; any-id has no unknown labels");
  const auto scores = benchmark.score(arguments);
  for (const auto& note : scores.notes) log::info("{}", note);
  if (scores.tables) write_and_print(arguments, *scores.tables);
  if (scores.failures.empty()) return 0;
  for (const auto& failure : scores.failures) log::error("{}", failure);
  log::error("{} sequence(s) left out; the numbers are those of the others",
             scores.failures.size());
  return static_cast<int>(Exit::kBadData);
}

void add_davis_options(CLI::App* command, eval::ScoreOptions* options) {
  command
      ->add_option_function<std::string>(
          "--rule",
          [options](const std::string& rule) {
            if (rule == "any-id") options->rule = eval::ScoreRule::kAnyId;
          },
          "official: objects of the first true mask; any-id: every label that the truth shows, "
          "from the frame on in which it appears [official]")
      ->check(CLI::IsMember({"official", "any-id"}));
  command->add_flag(
      "--drop-unknown",
      options->drop_unknown,
      "Count predicted labels above the highest of the first true mask as background");
  command->option_defaults()->group("Machine");
  command->add_option("--threads", options->threads, "Sequences scored at once; 0: one per core")
      ->check(CLI::Range(0, 1024));
}

void add_benchmark(CLI::App* score_command, const BenchmarkEntry& benchmark, Action& action) {
  auto* command = score_command->add_subcommand(benchmark.name, benchmark.score_help);
  const auto arguments = std::make_shared<ScoreArguments>();
  command->option_defaults()->group("Input");
  command->add_option("--truth", arguments->truth, benchmark.truth_help)->required();
  command->add_option("--prediction", arguments->prediction, benchmark.prediction_help)->required();
  command->add_option("--split", arguments->split, benchmark.split_help);
  command->option_defaults()->group("Output");
  command->add_option("--csv", arguments->csv, benchmark.csv_help);
  command->add_option(benchmark.details_flag, arguments->details, benchmark.details_help);
  command->add_option(
      "--json", arguments->json, "Write the means as JSON; '-' prints it instead of the table");
  command->option_defaults()->group("Method");
  command->add_flag("--keep-going", arguments->keep_going, kKeepGoingHelp);
  if (benchmark.name == std::string("davis")) add_davis_options(command, &arguments->davis);
  const auto example = text("  stc score {} --truth {} --prediction results/{}",
                            benchmark.name,
                            benchmark.example_root,
                            benchmark.name);
  command->footer(text("Examples:\n{}\n{} --csv scores.csv {} details.csv",
                       example,
                       example,
                       benchmark.details_flag));
  command->callback([arguments, &benchmark, &action] {
    action = [arguments, &benchmark] { return score(benchmark, *arguments); };
  });
}

}  // namespace

void add_score(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("score", "Score existing results against their truth");
  command->require_subcommand(1);
  command->footer("Examples:\n  stc score davis --truth DAVIS --prediction results/davis");
  for (const auto& benchmark : benchmarks()) add_benchmark(command, benchmark, action);
}

}  // namespace stc::launcher
