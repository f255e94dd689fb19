#include <CLI/CLI.hpp>
#include <memory>

#include "data/synthetic/clips.h"
#include "launcher/commands.h"
#include "monitoring/check.h"
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
  log::info(
      "{}: {} annotated clip(s) of {} frames, {}x{}; the photographs of each are named in "
      "sources.txt",
      options.out,
      options.clips.clips,
      options.clips.frames,
      options.clips.height,
      options.clips.width);
  return 0;
}

}  // namespace

void add_synthesize(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand("synthesize",
                                     "Make annotated clips (a DAVIS tree) of photographs: cut-outs "
                                     "that move, masks right by construction");
  const auto options = std::make_shared<SynthesizeOptions>();
  auto& clips = options->clips;
  command
      ->add_option("photos", options->photos, "Photographs, or folders that are searched for them")
      ->required();
  command->add_option("--out", options->out, "DAVIS root to write")->required();
  command->add_option("--clips", clips.clips, "Number of clips")->capture_default_str();
  command->add_option("--frames", clips.frames, "Frames a clip, at least 3")->capture_default_str();
  command->add_option("--height", clips.height, "Height of a frame in pixels")
      ->capture_default_str();
  command->add_option("--width", clips.width, "Width of a frame in pixels")->capture_default_str();
  command->add_option("--seed", clips.seed, "Another seed, other clips")->capture_default_str();
  command->add_flag("--force", clips.replace, "Replace an earlier result in --out");
  command->callback([options, &action] { action = [options] { return synthesize(*options); }; });
}

}  // namespace stc::launcher
