#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "data/davis.h"
#include "data/file.h"
#include "dist/shared_counters.h"
#include "eval/davis_benchmark.h"
#include "eval/evaluation_job.h"
#include "launcher/agreement.h"
#include "launcher/commands.h"
#include "launcher/evaluation_folder.h"
#include "launcher/propagation_arguments.h"
#include "launcher/version.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

struct DavisArguments : PropagationArguments {
  std::string root;
  std::string out;
  std::string split;
  std::string label;
  bool overlays = false;
  bool force = false;
  bool keep_going = false;
};

std::string hexadecimal(std::uint32_t value) {
  char buffer[16];
  std::snprintf(buffer, sizeof(buffer), "%08x", value);
  return buffer;
}

// "runs/demo/step2/weights.safetensors" -> "step2".
std::string label_of(const DavisArguments& arguments, const PropagationTrunk& trunk) {
  if (!arguments.label.empty()) return arguments.label;
  const auto path = fs::path(trunk.weights).lexically_normal();
  const auto name = path.stem().string();
  const bool is_generic = name == "weights" || name == "model";
  if (is_generic && path.has_parent_path()) return path.parent_path().filename().string();
  return name.empty() ? path.parent_path().filename().string() : name;
}

/// All that the numbers depend on, so that a second start knows whether it may go on.
ordered_json job_json(const DavisArguments& arguments,
                      const PropagationSettings& settings,
                      const PropagationTrunk& trunk) {
  ordered_json job = {{"benchmark", "davis"},
                      {"data", fs::absolute(arguments.root).lexically_normal().string()},
                      {"weights_crc32c", hexadecimal(trunk.crc32c)},
                      {"depth", trunk.network.options().depth},
                      {"overlays", arguments.overlays}};
  job.update(settings_json(settings));
  return job;
}

ordered_json results_json(const DavisArguments& arguments,
                          const PropagationSettings& settings,
                          const PropagationTrunk& trunk,
                          const dist::Communicator& world) {
  ordered_json json = {{"benchmark", "davis"},
                       {"data", arguments.root},
                       {"weights", trunk.weights},
                       {"label", label_of(arguments, trunk)},
                       {"settings", settings_json(settings)},
                       {"version", {{"stc", version()}, {"libtorch", libtorch_version()}}}};
  json["settings"]["depth"] = trunk.network.options().depth;
  json["settings"]["split"] = arguments.split;
  json["settings"]["weights_crc32c"] = hexadecimal(trunk.crc32c);
  json["settings"]["precision"] = "float32";
  json["settings"]["ranks"] = world.size();
  json["settings"]["threads"] = at::get_num_threads();
  return json;
}

void write_json(const fs::path& path, const ordered_json& json) {
  const auto content = json.dump(2) + "\n";
  data::write_file(path.string(),
                   {reinterpret_cast<const std::uint8_t*>(content.data()), content.size()});
}

// Sums over clips, whatever ranks and starts they were evaluated in.
ordered_json timings_of(const std::vector<eval::Json>& records) {
  std::int64_t frames = 0;
  std::map<std::string, double> seconds;
  for (const auto& record : records) {
    if (record.is_null()) continue;
    frames += record.at("frames").get<std::int64_t>();
    for (const auto& [stage, taken] : record.at("seconds").items())
      seconds[stage] += taken.get<double>();
  }
  ordered_json timings = {{"frames", frames}};
  for (const char* stage : {"features", "propagation", "masks", "files", "scoring"})
    timings[text(stage, "_seconds")] = seconds[stage];
  return timings;
}

void print_times(const ordered_json& timings) {
  const auto seconds = [&](const char* stage) {
    return timings.at(text(stage, "_seconds")).get<double>();
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

// Of all clips' records: tables, results.json, and the table on the terminal.
void finish(const eval::Benchmark& benchmark, const std::string& out, ordered_json json) {
  const auto clips = benchmark.clips();
  const auto result = eval::collect_records(clips, out);
  auto notes = ordered_json::array();
  for (const auto& record : result.records) {
    if (record.is_null()) continue;
    for (const auto& note : record.at("notes")) {
      log::warning(note.get<std::string>());
      notes.push_back(note);
    }
  }
  STC_CHECK_DATA(result.failed.size() < clips.size(),
                 "none of the ",
                 clips.size(),
                 " clips could be evaluated; the first: ",
                 result.failed.front());
  const auto summary = benchmark.summarise(out, result.records);
  json.update(summary.numbers);
  json["notes"] = notes;
  json["failed"] = result.failed;
  json["timings"] = timings_of(result.records);
  write_json(fs::path(out) / "results.json", json);
  std::fputs(summary.table.c_str(), stdout);
  print_times(json["timings"]);
  std::fflush(stdout);
  STC_CHECK_DATA(result.failed.empty(),
                 result.failed.size(),
                 " of ",
                 clips.size(),
                 " clips were left out of the numbers; the first: ",
                 result.failed.front());
}

void use_threads(std::int64_t asked, const dist::World& world) {
  const int share = world.owns_cores ? world.cores : std::max(1, world.cores / world.local_size);
  at::set_num_threads(asked > 0 ? static_cast<int>(asked) : share);
}

void run_job(const eval::Benchmark& benchmark, dist::Communicator& world, bool keep_going) {
  std::int64_t frames = 0;
  for (const auto& clip : benchmark.clips()) frames += clip.frames;
  const auto counters = dist::open_shared_counters(world);
  std::int64_t passed_over = 0;
  {
    FrameProgress progress(frames);
    passed_over = eval::evaluate_clips(
        benchmark,
        {.next_ticket = [&] { return counters->add("clip", 1); },
         .on_frame =
             [&](const std::string& clip, std::int64_t frame, std::int64_t count) {
               progress.update(clip, frame, count, counters->add("frame", 1) + 1);
             },
         .keep_going = keep_going});
  }
  // Waits for the last clip, and keeps rank 0 to serve the counters until all are done with them.
  const auto by_all = at::full({1}, passed_over, at::kLong);
  world.all_reduce(by_all);
  const auto earlier = by_all.item<std::int64_t>();
  if (earlier > 0) log::info(text(earlier, " clips were evaluated by an earlier start"));
}

int eval_davis(const DavisArguments& arguments, dist::Session& session) {
  constexpr double kNoTimeout = 30 * 86400;  // of the wait for the last clip
  log::open(session.world().rank, session.world().size, "");
  const auto world = dist::make_communicator(session, "cpu", {kNoTimeout});
  use_threads(arguments.threads, session.world());
  PropagationSettings settings;
  std::optional<PropagationTrunk> trunk;
  std::unique_ptr<eval::Benchmark> benchmark;
  agree(*world, [&] {
    settings = read_settings(arguments);
    auto sequences = data::open_davis(arguments.root, {.split = arguments.split});
    trunk = load_trunk(arguments, settings.stride);
    benchmark = std::make_unique<eval::DavisBenchmark>(
        trunk->network,
        std::move(sequences),
        eval::DavisBenchmarkOptions{settings.input, arguments.overlays},
        std::vector<eval::Variant>{{settings.video, arguments.out}});
  });
  FolderLock lock;
  agree_on_root(*world, [&] {
    lock = open_evaluation_folder(
        arguments.out, job_json(arguments, settings, *trunk), arguments.force);
    log::info(text(label_of(arguments, *trunk),
                   ": ResNet-",
                   trunk->network.options().depth,
                   " stage 3, ",
                   trunk->network.channels(3),
                   " channels, stride ",
                   settings.stride,
                   ", weights ",
                   trunk->weights,
                   " (crc32c ",
                   hexadecimal(trunk->crc32c),
                   ")"));
  });
  run_job(*benchmark, *world, arguments.keep_going);
  agree_on_root(*world, [&] {
    finish(*benchmark, arguments.out, results_json(arguments, settings, *trunk, *world));
  });
  return 0;
}

}  // namespace

void add_eval(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand("eval", "Propagate labels through a benchmark and score them");
  command->require_subcommand(1);
  auto* davis =
      command->add_subcommand("davis", "Masks, on a folder tree of DAVIS' shape: J and F");
  const auto arguments = std::make_shared<DavisArguments>();
  davis->add_option("--data", arguments->root, "Root with JPEGImages and Annotations")->required();
  davis->add_option("--out", arguments->out, "New folder for masks and results")->required();
  davis->add_option("--split",
                    arguments->split,
                    "File with one sequence name a line; without it ImageSets/2017/val.txt, else "
                    "all that have annotations");
  add_propagation_options(davis, arguments.get());
  davis->add_flag("--overlays", arguments->overlays, "Also pictures of the masks over the frames");
  davis->add_option("--label", arguments->label, "Name in tables and reports");
  davis->add_flag("--force",
                  arguments->force,
                  "Evaluate anew; without it sequences that an earlier start finished in --out "
                  "are kept");
  davis->add_flag("--keep-going",
                  arguments->keep_going,
                  "Leave out sequences with bad data, and name them at the end (exit code 3)");
  davis->callback([arguments, &run] {
    run = [arguments] {
      return run_over_ranks(
          [&](dist::Session& session) { return eval_davis(*arguments, session); });
    };
  });
}

}  // namespace stc::launcher
