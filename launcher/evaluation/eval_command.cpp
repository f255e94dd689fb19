#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "dist/device.h"
#include "dist/run_together.h"
#include "launcher/commands.h"
#include "launcher/evaluation/benchmarks.h"
#include "launcher/evaluation/evaluation.h"
#include "launcher/evaluation/propagation_arguments.h"
#include "monitoring/check.h"
#include "monitoring/log.h"
#include "monitoring/push.h"

namespace stc::launcher {
namespace {

using nlohmann::ordered_json;

struct EvalArguments : PropagationArguments {
  BenchmarkSource source;
  std::string out;
  std::string label;
  std::string push;  // address of a Pushgateway; empty: none
  bool force = false;
};

void print_times(const ordered_json& timings) {
  const auto words = [&](const std::string& stage) {
    return stage + eval::formatted(" %.1f s", timings.at(stage + "_seconds").get<double>());
  };
  const auto stages = joined(kStages, words);
  std::fputs(text("{} frames: {}\n", timings.at("frames").dump(), stages).c_str(), stdout);
}

void print_result(const EvaluationResult& result) {
  for (const auto& note : result.json.at("notes")) log::warning("{}", note.get<std::string>());
  std::fputs(result.table.c_str(), stdout);
  print_times(result.json.at("timings"));
  std::fflush(stdout);
  STC_CHECK_DATA(result.failed.empty(),
                 "{} of {} clips were left out of the numbers; the first: {}",
                 result.failed.size(),
                 result.clips,
                 result.failed.front());
}

// The score, and every number at the top level of results.json ("jf_mean", ...) by its name there.
void push_result(const std::string& url, const ordered_json& result) {
  if (url.empty()) return;
  monitoring::EvaluationNumbers numbers{result.at("benchmark"), result.at("label"), {}};
  const auto& score = result.at("score").at("value");
  if (score.is_number()) numbers.measures["score"] = score;
  for (const auto& [name, value] : result.items()) {
    if (value.is_number()) numbers.measures[name] = value;
  }
  const auto failure = monitoring::push(url, numbers);
  if (!failure.empty())
    log::warning("the result was not pushed: {}; it is in results.json", failure);
}

int evaluate(const EvalArguments& arguments, dist::Session& session) {
  const auto world = start_evaluation(session, arguments.threads);
  const auto device = dist::choose_device(arguments.device, *world);
  std::unique_ptr<Evaluation> evaluation;
  dist::run_on_all_ranks(*world, [&] {
    if (!arguments.push.empty()) monitoring::check_push_url(arguments.push);
    auto settings = read_settings(arguments);
    const auto trunk =
        std::make_shared<PropagationTrunk>(load_trunk(arguments, settings.stride, device));
    const auto input = choose_input(*trunk, &settings);
    if (!input.empty()) log::info("{}", input);
    const auto label = arguments.label.empty() ? label_of_weights(trunk->weights) : arguments.label;
    evaluation = std::make_unique<Evaluation>(
        arguments.source, trunk, label, std::vector<EvaluationVariant>{{settings, arguments.out}});
    log::info("{}: {}", label, describe(*trunk, settings.stride));
  });
  dist::run_on_root(*world, [&] {
    evaluation->open_folders(arguments.force ? FolderUse::kRestart : FolderUse::kResume);
  });
  evaluate_over_ranks({evaluation.get()}, *world);
  dist::run_on_root(*world, [&] {
    const auto result = evaluation->finish(world->size()).front();
    push_result(arguments.push, result.json);
    print_result(result);
  });
  return 0;
}

void add_output_options(CLI::App* command, EvalArguments* arguments) {
  command->option_defaults()->group("Output");
  command->add_option("--out", arguments->out, "New folder for the results")->required();
  command->add_option("--label", arguments->label, "Name of the weights in tables and reports");
  command->add_option(
      "--push", arguments->push, "Pushgateway that receives the score, e.g. http://HOST:9091");
  command->add_flag("--overlays",
                    arguments->source.overlays,
                    "Also draw the results over the frames, as pictures and videos");
  command->add_flag("--force",
                    arguments->force,
                    "Evaluate all clips again; by default those that an earlier start finished in "
                    "--out are kept");
}

void add_benchmark(CLI::App* eval_command, const BenchmarkEntry& benchmark, Action& action) {
  auto* command = eval_command->add_subcommand(benchmark.name, benchmark.eval_help);
  const auto arguments = std::make_shared<EvalArguments>();
  arguments->source.name = benchmark.name;
  arguments->defaults = benchmark.defaults;
  command->option_defaults()->group("Input");
  command->add_option("--data", arguments->source.data, benchmark.data_help)->required();
  command->add_option("--split", arguments->source.split, benchmark.split_help);
  add_output_options(command, arguments.get());
  command->option_defaults()->group("Method");
  command->add_flag("--keep-going", arguments->source.keep_going, kKeepGoingHelp);
  add_propagation_options(command, arguments.get());
  const auto example = text("stc eval {} --data {}", benchmark.name, benchmark.example_root);
  command->footer(
      text("Examples:\n"
           "  {} --weights runs/step2 --out results/{}\n"
           "  {} --weights random:1 --depth 18 --out results/untrained\n"
           "  mpirun -np 8 --bind-to none {} --weights runs/step2 --out results/{}",
           example,
           benchmark.name,
           example,
           example,
           benchmark.name));
  command->callback([arguments, &action] {
    action = [arguments] {
      return dist::run_over_ranks(
          [&](dist::Session& session) { return evaluate(*arguments, session); });
    };
  });
}

}  // namespace

void add_eval(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("eval", "Propagate labels through a benchmark and score them");
  command->require_subcommand(1);
  command->footer(
      "Examples:\n  stc eval davis --data DAVIS --weights runs/step2 --out results/davis");
  for (const auto& benchmark : benchmarks()) add_benchmark(command, benchmark, action);
}

}  // namespace stc::launcher
