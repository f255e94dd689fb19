#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "data/weights/safetensors.h"
#include "launcher/commands.h"
#include "launcher/run_folder/weights.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

struct Options {
  std::string source, target;
  std::string prefix;  // of an imported network's names
  std::string input;   // colours it was trained on; empty: as the file says
  bool force = false;
};

void check_target(const Options& options) {
  STC_CHECK_USAGE(options.force || !std::filesystem::exists(options.target),
                  "{} exists; choose another name, or --force to replace it",
                  options.target);
  std::error_code none;
  STC_CHECK_USAGE(!std::filesystem::equivalent(options.source, options.target, none),
                  "{} is both the input and the output; name another file to write",
                  options.target);
}

void write_backbone(const Weights& weights, const Options& options) {
  const auto input = options.input.empty() ? weights.input : options.input;
  data::write_safetensors(options.target, weights.tensors, weights_metadata(input));
  log::info("wrote {}: ResNet-{}, {} tensors, {}",
            options.target,
            weights.depth,
            weights.tensors.size(),
            input.empty() ? "input unknown (--input rgb or lab records it)" : "input " + input);
}

int export_weights(const Options& options) {
  check_target(options);
  write_backbone(read_weights(options.source), options);
  return 0;
}

int import_weights(const Options& options) {
  check_target(options);
  const auto weights = read_weights(options.source, options.prefix);
  if (!options.input.empty() && !weights.input.empty() && options.input != weights.input)
    log::warning("{} is for {} input by its own account; {} is recorded, as --input says",
                 options.source,
                 weights.input,
                 options.input);
  write_backbone(weights, options);
  return 0;
}

void add_target(CLI::App* command, Options* options) {
  command->add_option("OUT", options->target, "The .safetensors file to write")->required();
  command->option_defaults()->group("Output");
  command->add_flag("--force", options->force, "Replace OUT if it exists");
}

}  // namespace

void add_export(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "export", "Write a backbone's weights under torchvision's names, from a checkpoint or a run");
  command->footer(
      "Examples:\n"
      "  stc export runs/train backbone.safetensors\n"
      "  stc export runs/train/checkpoints/step-00001000 step1000.safetensors --force");
  const auto options = std::make_shared<Options>();
  command
      ->add_option(
          "CHECKPOINT",
          options->source,
          "A checkpoint folder, a run folder (its finished weights, else its newest complete "
          "checkpoint), or a file as `stc import` takes it")
      ->required();
  add_target(command, options.get());
  command->callback(
      [options, &action] { action = [options] { return export_weights(*options); }; });
}

void add_import(CLI::App& app, Action& action) {
  auto* command = app.add_subcommand(
      "import", "Take a backbone's weights from another program's file, torch.save or safetensors");
  command->footer(
      "Examples:\n"
      "  stc import moco_v2_800ep_pretrain.pth.tar moco.safetensors\n"
      "  stc import model.pth backbone.safetensors --prefix module.encoder_k.");
  const auto options = std::make_shared<Options>();
  command
      ->add_option("IN",
                   options->source,
                   "A file by torch.save (no code in it is run) or of safetensors with a ResNet-18 "
                   "or -50, alone or within a larger model, under the names of torchvision, timm, "
                   "MoCo, VISSL, solo-learn, DINO, SwAV, mmcv, CRW, Hugging Face, detectron2, "
                   "SlowFast, or nn.Sequential")
      ->required();
  add_target(command, options.get());
  command->option_defaults()->group("Input");
  command->add_option("--prefix",
                      options->prefix,
                      "Which network, if there are several: the prefix of its names; default: the "
                      "only one, or the one that is trained (MoCo's encoder_q)");
  command
      ->add_option("--input",
                   options->input,
                   "Colours it was trained on, rgb by ImageNet's mean or lab, recorded in OUT as "
                   "what stc eval takes; default: as the file says")
      ->check(CLI::IsMember({"rgb", "lab"}));
  command->callback(
      [options, &action] { action = [options] { return import_weights(*options); }; });
}

}  // namespace stc::launcher
