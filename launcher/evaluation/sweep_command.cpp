// `stc sweep`: evaluates weights x benchmarks x settings, and makes one table of them.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "data/file.h"
#include "dist/device.h"
#include "dist/run_together.h"
#include "launcher/commands.h"
#include "launcher/evaluation/evaluation.h"
#include "launcher/evaluation/sweep_plan.h"
#include "launcher/evaluation/sweep_table.h"
#include "monitoring/check.h"
#include "monitoring/json_text.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct SweepArguments {
  std::string plan;
  std::string part;  ///< "I/N"
  std::int64_t threads = 0;
  std::string device = "auto";
  std::string precision = "float32";
  bool force = false;
  bool keep_going = false;
};

/// Combinations that share the features: they differ in the search and the vote alone.
struct SweepGroup {
  std::unique_ptr<Evaluation> evaluation;
  std::string weights;  ///< label
  std::vector<SweepCombination> combinations;
};

EvaluationShare share_of(const std::string& part) {
  if (part.empty()) return {};
  char rest = 0;
  long index = 0, count = 0;
  const bool is_read = std::sscanf(part.c_str(), "%ld/%ld%c", &index, &count, &rest) == 2;
  STC_CHECK_USAGE(is_read && count >= 1 && index >= 0 && index < count,
                  "--part {}: expected I/N with 0 <= I < N, such as 0/4",
                  part);
  return {index, count};
}

// The last part of the path; all of it if two weights end alike.
std::vector<std::string> labels_of(const std::vector<std::string>& weights) {
  std::vector<std::string> labels;
  std::map<std::string, int> uses;
  for (const auto& path : weights) ++uses[label_of_weights(path)];
  for (const auto& path : weights) {
    auto label = label_of_weights(path);
    if (uses[label] > 1) {
      label = fs::path(path).lexically_normal().relative_path().string();
      std::replace(label.begin(), label.end(), '/', '-');
    }
    labels.push_back(label);
  }
  return labels;
}

PropagationArguments arguments_of(const SweepPlan& plan,
                                  const std::string& benchmark,
                                  const std::string& weights,
                                  const SweepCombination& combination) {
  PropagationArguments arguments;
  arguments.defaults = find_benchmark(benchmark).defaults;
  arguments.weights = weights;
  if (weights.starts_with("random")) arguments.depth = plan.depth;
  arguments.precision = plan.precision;
  arguments.overrides = combination.overrides;
  return arguments;
}

// The trunks of one weights file, by stride: loaded when first needed.
using Trunks = std::map<int, std::shared_ptr<const PropagationTrunk>>;

std::vector<SweepGroup> groups_of_benchmark(const SweepPlan& plan,
                                            const BenchmarkSource& benchmark,
                                            const fs::path& folder,
                                            const std::string& weights,
                                            const std::string& label,
                                            at::Device device,
                                            Trunks& trunks,
                                            std::set<std::string>* said) {
  struct Members {
    std::shared_ptr<const PropagationTrunk> trunk;
    std::vector<EvaluationVariant> variants;
    std::vector<SweepCombination> combinations;
  };
  std::map<std::string, Members> by_features;
  for (const auto& combination : plan.combinations) {
    const auto arguments = arguments_of(plan, benchmark.name, weights, combination);
    auto settings = read_settings(arguments);
    auto& trunk = trunks[settings.stride];
    if (!trunk)
      trunk = std::make_shared<PropagationTrunk>(load_trunk(arguments, settings.stride, device));
    said->insert(choose_input(*trunk, &settings));
    auto& members = by_features[features_key(settings)];
    members.trunk = trunk;
    members.variants.push_back({settings, (folder / combination.name()).string()});
    members.combinations.push_back(combination);
  }
  std::vector<SweepGroup> groups;
  for (auto& [key, members] : by_features)
    groups.push_back(
        {std::make_unique<Evaluation>(benchmark, members.trunk, label, std::move(members.variants)),
         label,
         std::move(members.combinations)});
  return groups;
}

std::vector<SweepGroup> groups_of(const SweepPlan& plan, at::Device device) {
  std::vector<SweepGroup> groups;
  const auto labels = labels_of(plan.weights);
  for (std::size_t i = 0; i < plan.weights.size(); ++i) {
    Trunks trunks;
    std::set<std::string> said;  // about the input, once for all settings
    for (std::size_t b = 0; b < plan.benchmarks.size(); ++b) {
      const auto& benchmark = plan.benchmarks[b];
      const auto folder = fs::path(plan.out) / labels[i] / text("{}-{}", b, benchmark.name);
      std::ranges::move(
          groups_of_benchmark(
              plan, benchmark, folder, plan.weights[i], labels[i], device, trunks, &said),
          std::back_inserter(groups));
    }
    for (const auto& line : said)
      if (!line.empty()) log::info("{}", line);
  }
  return groups;
}

// "j": {"mean": x} becomes j.mean.
SweepRow numbers_of(const ordered_json& json, const std::string& prefix = "") {
  auto numbers = SweepRow::object();
  for (const auto& [name, value] : json.items()) {
    if (value.is_number_float()) numbers[prefix + name] = value;
    if (value.is_object() && prefix.empty()) numbers.update(numbers_of(value, name + "."));
  }
  return numbers;
}

std::vector<SweepRow> rows_of(const SweepGroup& group, int ranks) {
  std::vector<SweepRow> rows;
  const auto results = group.evaluation->finish(ranks);
  for (std::size_t i = 0; i < results.size(); ++i) {
    auto json = results[i].json;
    SweepRow row = {{"weights", group.weights}, {"benchmark", json.at("benchmark")}};
    for (const auto& [key, value] : group.combinations[i].swept) {
      const auto parsed = ordered_json::parse(value, nullptr, /*allow_exceptions=*/false);
      row[key] = parsed.is_discarded() ? ordered_json(value) : parsed;
    }
    if (!row.contains("input")) row["input"] = json.at("settings").at("input");
    STC_CHECK_DATA(json.at("score").at("value").is_number(),
                   "{}: nothing was scored, as the data has the masks of first frames alone; a "
                   "sweep compares scores: give it data with masks for all frames",
                   json.at("data").get<std::string>());
    row["score"] = json.at("score").at("value");
    row["score_of"] = json.at("score").at("name");
    for (const char* other : {"score", "settings", "timings", "version"}) json.erase(other);
    row.update(numbers_of(json));
    row["failed"] = results[i].failed.size();
    rows.push_back(row);
  }
  return rows;
}

void make_table(const SweepPlan& plan, const std::vector<SweepGroup>& groups, int ranks) {
  std::vector<SweepRow> rows;
  for (const auto& group : groups)
    std::ranges::move(rows_of(group, ranks), std::back_inserter(rows));
  rows = sorted_rows(std::move(rows), plan.sort);
  const auto write = [&](const char* name, const std::string& content) {
    data::write_text(fs::path(plan.out) / name, content);
  };
  write("sweep.csv", sweep_csv(rows));
  write("sweep.json", json_text(ordered_json(rows), 2) + "\n");
  write("sweep.html", sweep_page(rows, text("stc sweep: {}", plan.out)));
  std::fputs(sweep_text(rows).c_str(), stdout);
  std::fflush(stdout);
  std::int64_t failed = 0;
  for (const auto& row : rows) failed += row.at("failed").get<std::int64_t>();
  STC_CHECK_DATA(failed == 0,
                 "{} clips were left out of the numbers (column failed); results.json of each "
                 "combination names them",
                 failed);
}

// Parts that end together make the table one after the other, with the same content.
void finish_part(const SweepArguments& arguments,
                 const SweepPlan& plan,
                 const std::vector<SweepGroup>& groups,
                 int ranks) {
  const auto lock = FolderLock::wait_for(plan.out);
  if (std::ranges::all_of(groups, &Evaluation::is_complete, &SweepGroup::evaluation))
    return make_table(plan, groups, ranks);
  log::info(
      "part {} is done; the part that ends last makes the table, as does stc sweep without "
      "--part",
      arguments.part);
}

void describe(const SweepPlan& plan, std::size_t groups) {
  log::info(
      "{} weights, {} benchmark(s), {} setting(s): {} evaluations; features are computed for {}",
      plan.weights.size(),
      plan.benchmarks.size(),
      plan.combinations.size(),
      plan.weights.size() * plan.benchmarks.size() * plan.combinations.size(),
      groups);
}

int sweep(const SweepArguments& arguments, dist::Session& session) {
  const auto world = start_evaluation(session, arguments.threads);
  const auto device = dist::choose_device(arguments.device, *world);
  SweepPlan plan;
  std::vector<SweepGroup> groups;
  EvaluationShare share;
  dist::run_on_all_ranks(*world, [&] {
    share = share_of(arguments.part);
    STC_CHECK_USAGE(!arguments.force || arguments.part.empty(),
                    "--force with --part would undo the work of other parts; give it once, without "
                    "--part, or name another out");
    plan = read_sweep(arguments.plan);
    plan.precision = arguments.precision;
    for (auto& benchmark : plan.benchmarks) benchmark.keep_going = arguments.keep_going;
    groups = groups_of(plan, device);
  });
  const bool is_part = !arguments.part.empty();
  dist::run_on_root(*world, [&] {
    const auto resume = is_part ? FolderUse::kShare : FolderUse::kResume;
    const auto use = arguments.force ? FolderUse::kRestart : resume;
    for (auto& group : groups) group.evaluation->open_folders(use);
  });
  std::vector<const Evaluation*> evaluations;
  for (const auto& group : groups) evaluations.push_back(group.evaluation.get());
  describe(plan, groups.size());
  evaluate_over_ranks(evaluations, *world, share);
  dist::run_on_root(*world, [&] {
    if (is_part) {
      finish_part(arguments, plan, groups, world->size());
    } else {
      make_table(plan, groups, world->size());
    }
  });
  return 0;
}

}  // namespace

void add_sweep(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("sweep", "Evaluate weights x benchmarks x settings into one table");
  const auto arguments = std::make_shared<SweepArguments>();
  command
      ->add_option("SWEEP.toml",
                   arguments->plan,
                   "File with out, sort, weights = [...], [[benchmark]] with name and data, and "
                   "[propagation] with values or lists of values")
      ->required();
  command->option_defaults()->group("Output");
  command->add_flag(
      "--force", arguments->force, "Evaluate all again; by default finished evaluations are kept");
  command->option_defaults()->group("Method");
  command->add_flag("--keep-going", arguments->keep_going, kKeepGoingHelp);
  command->option_defaults()->group("Machine");
  command->add_option(
      "--part",
      arguments->part,
      "I/N: only every N-th clip, starting with the I-th (0 <= I < N); other jobs do "
      "the other parts, for example the tasks of a job array");
  command->add_option("--device", arguments->device, "cpu, cuda, or auto: a GPU if there is one")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  add_precision_option(command, &arguments->precision);
  command->add_option("--threads", arguments->threads, "Compute threads; 0: this rank's cores")
      ->check(CLI::Range(0, 1024));
  command->footer(
      "Examples:\n"
      "  stc sweep sweep.toml\n"
      "  mpirun -np 8 --bind-to none stc sweep sweep.toml\n"
      "  stc sweep sweep.toml --part 0/4");
  command->callback([arguments, &action] {
    action = [arguments] {
      return dist::run_over_ranks(
          [&](dist::Session& session) { return sweep(*arguments, session); });
    };
  });
}

}  // namespace stc::launcher
