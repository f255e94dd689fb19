#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "dist/device.h"
#include "dist/run_together.h"
#include "launcher/commands.h"
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
  const auto seconds = [&](const char* stage) {
    return timings.at(text("{}_seconds", stage)).get<double>();
  };
  std::printf(
      "%ld frames: features %.1f s, propagation %.1f s, masks %.1f s, files %.1f s, "
      "scoring %.1f s\n",
      static_cast<long>(timings.at("frames").get<std::int64_t>()),
      seconds("features"),
      seconds("propagation"),
      seconds("masks"),
      seconds("files"),
      seconds("scoring"));
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

// The score, and every number at the top of results.json ("jf_mean", ...) by its name there.
void push_result(const std::string& url, const ordered_json& result) {
  if (url.empty()) return;
  monitoring::EvaluationNumbers numbers{result.at("benchmark"), result.at("label"), {}};
  numbers.measures["score"] = result.at("score").at("value");
  for (const auto& [name, value] : result.items()) {
    if (value.is_number()) numbers.measures[name] = value;
  }
  const auto why_not = monitoring::push(url, numbers);
  if (!why_not.empty())
    log::warning("the result was not pushed: {}; it is in results.json", why_not);
}

int evaluate(const EvalArguments& arguments, dist::Session& session) {
  const auto world = start_evaluation(session, arguments.threads);
  std::unique_ptr<Evaluation> evaluation;
  dist::run_on_all_ranks(*world, [&] {
    if (!arguments.push.empty()) monitoring::check_push_url(arguments.push);
    const auto settings = read_settings(arguments);
    const auto device = dist::choose_device(arguments.device, session.world().local_rank);
    const auto trunk =
        std::make_shared<PropagationTrunk>(load_trunk(arguments, settings.stride, device));
    const auto label = arguments.label.empty() ? label_of_weights(trunk->weights) : arguments.label;
    evaluation = std::make_unique<Evaluation>(
        arguments.source, trunk, label, std::vector<EvaluationVariant>{{settings, arguments.out}});
    log::info("{}: {}", label, describe(*trunk, settings.stride));
  });
  dist::run_on_root(*world, [&] {
    evaluation->open_folders(arguments.force ? FolderUse::kAnew : FolderUse::kGoOn);
  });
  evaluate_over_ranks({evaluation.get()}, *world);
  dist::run_on_root(*world, [&] {
    const auto result = evaluation->finish(world->size()).front();
    push_result(arguments.push, result.json);
    print_result(result);
  });
  return 0;
}

struct BenchmarkHelp {
  const char* name;
  PropagationDefaults defaults;
  const char* what;
  const char* data;
  const char* split;
};

constexpr BenchmarkHelp kBenchmarks[] = {
    {"davis",
     kDavisDefaults,
     "Masks, on a folder tree of DAVIS' shape: J and F",
     "Root with JPEGImages and Annotations",
     "File with one sequence name a line; without it ImageSets/2017/val.txt, else all that have "
     "annotations"},
    {"jhmdb",
     kJhmdbDefaults,
     "Key points, on JHMDB: PCK",
     "Root with Rename_Images and joint_positions",
     "List of clips, or a folder of <class>_test_split1.txt; without it val_list.txt, else splits, "
     "else all that have joints"},
    {"vip",
     kVipDefaults,
     "Parts, on VIP: mean IoU",
     "Root with Images and Category_ids (or Annotations)",
     "File with one sequence name a line; without it lists/val_videos.txt, else all that have "
     "masks"},
};

void add_benchmark(CLI::App* eval_command, const BenchmarkHelp& help, Action& action) {
  auto* command = eval_command->add_subcommand(help.name, help.what);
  const auto arguments = std::make_shared<EvalArguments>();
  arguments->source.name = help.name;
  arguments->defaults = help.defaults;
  command->add_option("--data", arguments->source.data, help.data)->required();
  command->add_option("--out", arguments->out, "New folder for what is found, and the results")
      ->required();
  command->add_option("--split", arguments->source.split, help.split);
  add_propagation_options(command, arguments.get());
  command->add_flag("--overlays",
                    arguments->source.overlays,
                    "Also pictures and videos of what is found over the frames");
  command->add_option("--label", arguments->label, "Name in tables and reports");
  command->add_option(
      "--push", arguments->push, "Pushgateway that gets the score, e.g. http://HOST:9091");
  command->add_flag("--force",
                    arguments->force,
                    "Evaluate anew; without it clips that an earlier start finished in --out are "
                    "kept");
  command->add_flag("--keep-going",
                    arguments->source.keep_going,
                    "Leave out clips with bad data, and name them at the end (exit code 3)");
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
  for (const auto& benchmark : kBenchmarks) add_benchmark(command, benchmark, action);
}

}  // namespace stc::launcher
