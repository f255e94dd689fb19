#include <CLI/CLI.hpp>
#include <memory>

#include "data/synthetic/clips.h"
#include "launcher/commands.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

struct SynthesizeOptions {
  std::vector<std::string> photos;
  std::string out;
  data::SyntheticClipOptions clips;
};

int synthesize(const SynthesizeOptions& options) {
  data::synthesize_clips(options.photos, options.out, options.clips);
  const auto& c = options.clips;
  const auto made =
      text("{} annotated clip(s) of {} frames, {}x{}", c.clips, c.frames, c.height, c.width);
  log::info("{}: {}; sources.txt names the photographs of each", options.out, made);
  return 0;
}

}  // namespace

void add_synthesize(CLI::App& app, Action& action) {
  auto* command =
      app.add_subcommand("synthesize",
                         "Make annotated clips (a DAVIS tree) from photographs: cut-outs that "
                         "move, with masks that are right by construction");
  const auto options = std::make_shared<SynthesizeOptions>();
  auto& clips = options->clips;
  command->option_defaults()->group("Input");
  command
      ->add_option("photos",
                   options->photos,
                   "Photographs, at least four, or folders that are searched for them")
      ->required();
  command->option_defaults()->group("Output");
  command->add_option("--out", options->out, "DAVIS root to write")->required();
  command->add_flag("--force", clips.replace, "Replace an earlier result in --out");
  command->option_defaults()->group("Method")->always_capture_default();
  command->add_option("--clips", clips.clips, "Number of clips");
  command->add_option("--frames", clips.frames, "Frames per clip, at least 3");
  command->add_option("--height", clips.height, "Height of a frame in pixels");
  command->add_option("--width", clips.width, "Width of a frame in pixels");
  command->add_option("--seed", clips.seed, "Another seed gives other clips");
  command->footer(
      "Examples:\n"
      "  stc synthesize photos --out clips\n"
      "  stc synthesize photos --out clips --clips 2 --frames 12 --seed 1 --force");
  command->callback([options, &action] { action = [options] { return synthesize(*options); }; });
}

}  // namespace stc::launcher
