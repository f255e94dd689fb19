#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>

#include "data/safetensors.h"
#include "launcher/checkpoint.h"
#include "launcher/commands.h"
#include "models/resnet.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

struct ExportOptions {
  std::string source;
  std::string target;
  bool force = false;
};

// Loading into a network checks every name and shape, and leaves out what is no backbone (a
// classifier).
int export_weights(const ExportOptions& options) {
  STC_CHECK_USAGE(options.force || !std::filesystem::exists(options.target),
                  options.target,
                  " exists; choose another name, or --force to replace it");
  const data::NamedTensors weights = read_weights(options.source);
  const int depth = models::depth_of(weights, options.source);
  models::ResNet backbone(models::standard_options(depth), /*seed=*/0);
  backbone.load(weights, options.source);
  const auto state = backbone.state();
  data::write_safetensors(options.target, state, {{"format", "pt"}});
  log::info(text("wrote ", options.target, ": ResNet-", depth, ", ", state.size(), " tensors"));
  return 0;
}

}  // namespace

void add_export(CLI::App& app, Run& run) {
  auto* command = app.add_subcommand(
      "export", "Write a backbone's weights under torchvision's names, from a checkpoint or a run");
  const auto options = std::make_shared<ExportOptions>();
  command
      ->add_option("CHECKPOINT",
                   options->source,
                   "A checkpoint folder, a run folder (its finished weights, else its newest whole "
                   "checkpoint), or a .safetensors file")
      ->required();
  command->add_option("OUT", options->target, "The .safetensors file to write")->required();
  command->add_flag("--force", options->force, "Replace OUT where it exists");
  command->callback([options, &run] { run = [options] { return export_weights(*options); }; });
}

}  // namespace stc::launcher
