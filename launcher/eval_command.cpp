#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "data/davis.h"
#include "data/file.h"
#include "eval/davis_evaluation.h"
#include "launcher/commands.h"
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

ordered_json results_json(const DavisArguments& arguments,
                          const PropagationSettings& settings,
                          const PropagationTrunk& trunk,
                          const eval::DavisEvaluation& evaluation) {
  ordered_json json = {{"benchmark", "davis"},
                       {"data", arguments.root},
                       {"weights", trunk.weights},
                       {"label", label_of(arguments, trunk)},
                       {"settings", settings_json(settings)},
                       {"version", {{"stc", version()}, {"libtorch", libtorch_version()}}}};
  json["settings"]["depth"] = trunk.network.options().depth;
  json["settings"]["split"] = arguments.split;
  json["settings"]["weights_crc32c"] = hexadecimal(trunk.crc32c);
  json.update(ordered_json::parse(eval::scores_json(evaluation.scores)));
  json["notes"] = evaluation.notes;
  json["timings"] = {{"frames", evaluation.frames},
                     {"features_seconds", evaluation.seconds.features},
                     {"propagation_seconds", evaluation.seconds.propagation},
                     {"masks_seconds", evaluation.seconds.masks},
                     {"files_seconds", evaluation.files_seconds},
                     {"scoring_seconds", evaluation.scoring_seconds}};
  return json;
}

void write_json(const fs::path& path, const ordered_json& json) {
  const auto content = json.dump(2) + "\n";
  data::write_file(path.string(),
                   {reinterpret_cast<const std::uint8_t*>(content.data()), content.size()});
}

void print_times(const eval::DavisEvaluation& e) {
  std::printf(
      "%ld frames: features %.1f s, propagation %.1f s, masks %.1f s, files %.1f s; "
      "scoring %.1f s\n",
      static_cast<long>(e.frames),
      e.seconds.features,
      e.seconds.propagation,
      e.seconds.masks,
      e.files_seconds,
      e.scoring_seconds);
}

int eval_davis(const DavisArguments& arguments) {
  prepare_process(arguments, "eval davis");
  const auto settings = read_settings(arguments);
  const auto sequences = data::open_davis(arguments.root, {.split = arguments.split});
  const auto trunk = load_trunk(arguments, settings.stride);
  prepare_out(arguments.out, arguments.force);
  log::info(text(label_of(arguments, trunk),
                 ": ResNet-",
                 trunk.network.options().depth,
                 " stage 3, ",
                 trunk.network.channels(3),
                 " channels, stride ",
                 settings.stride,
                 ", weights ",
                 trunk.weights,
                 " (crc32c ",
                 hexadecimal(trunk.crc32c),
                 ")"));
  std::int64_t frames = 0;
  for (const auto& sequence : sequences)
    frames += static_cast<std::int64_t>(sequence.images.size());
  eval::DavisEvaluation evaluation;
  {
    FrameProgress progress(frames);
    evaluation = eval::evaluate_davis(
        trunk.network,
        sequences,
        arguments.out,
        {.video = settings.video,
         .overlays = arguments.overlays,
         .threads = static_cast<int>(arguments.threads),
         .on_frame = [&](const std::string& sequence, std::int64_t frame, std::int64_t count) {
           progress.update(sequence, frame, count);
         }});
  }
  for (const auto& note : evaluation.notes) log::warning(note);
  for (const auto& note : evaluation.scores.notes) log::info(note);
  write_json(fs::path(arguments.out) / "results.json",
             results_json(arguments, settings, trunk, evaluation));
  std::fputs(eval::score_table(evaluation.scores).c_str(), stdout);
  print_times(evaluation);
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
  davis->add_flag("--force", arguments->force, "Write over an earlier evaluation in --out");
  davis->callback([arguments, &run] { run = [arguments] { return eval_davis(*arguments); }; });
}

}  // namespace stc::launcher
