#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

#include "data/folder_listing.h"
#include "data/weights/safetensors.h"
#include "data/weights/torch_file.h"
#include "launcher/commands.h"
#include "launcher/run_folder/checkpoint.h"
#include "models/resnet.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

struct Options {
  std::string source, target;
  std::string prefix;  // of an imported network's names
  bool force = false;
};

void check_target(const Options& options) {
  STC_CHECK_USAGE(options.force || !std::filesystem::exists(options.target),
                  "{} exists; choose another name, or --force to replace it",
                  options.target);
}

// Loading into a network checks every name and shape, and leaves out what is not part of the
// backbone, such as a classifier.
void write_backbone(const data::NamedTensors& weights, const Options& options) {
  const int depth = models::depth_of(weights, options.source);
  models::ResNet backbone(models::standard_options(depth), /*seed=*/0);
  backbone.load(weights, options.source);
  const auto state = backbone.state();
  data::write_safetensors(options.target, state, {{"format", "pt"}});
  log::info("wrote {}: ResNet-{}, {} tensors", options.target, depth, state.size());
}

int export_weights(const Options& options) {
  check_target(options);
  write_backbone(read_weights(options.source), options);
  return 0;
}

/// The prefixes of the names of each ResNet among the tensors ("module.encoder_q.").
std::vector<std::string> prefixes_of_networks(const data::NamedTensors& tensors) {
  const std::string known = "layer1.0.conv1.weight";
  std::vector<std::string> prefixes;
  for (const auto& [name, tensor] : tensors) {
    if (!name.ends_with(known)) continue;
    const auto prefix = name.substr(0, name.size() - known.size());
    if (prefix.empty() || prefix.ends_with('.')) prefixes.push_back(prefix);
  }
  return prefixes;
}

std::string listed(const std::vector<std::string>& words) {
  return joined(words, [](const std::string& word) { return text("'{}'", word); });
}

// If there are several networks, MoCo's query encoder is the one that is trained.
std::string choose_prefix(const data::NamedTensors& tensors, const Options& options) {
  auto prefixes = prefixes_of_networks(tensors);
  STC_CHECK_DATA(!prefixes.empty(),
                 "{}: none of its {} tensors is the layer1.0.conv1.weight of a ResNet{}",
                 options.source,
                 tensors.size(),
                 tensors.empty() ? " (a saved module is not read; save its state_dict())"
                                 : ", the first is '" + tensors.begin()->first + "'");
  if (!options.prefix.empty()) {
    STC_CHECK_USAGE(std::count(prefixes.begin(), prefixes.end(), options.prefix) == 1,
                    "--prefix is '{}'; {} holds {}",
                    options.prefix,
                    options.source,
                    listed(prefixes));
    return options.prefix;
  }
  if (prefixes.size() == 1) return prefixes[0];
  const auto is_query = [](const std::string& prefix) { return prefix.ends_with("encoder_q."); };
  STC_CHECK_USAGE(std::count_if(prefixes.begin(), prefixes.end(), is_query) == 1,
                  "{} holds several networks; choose one with --prefix: {}",
                  options.source,
                  listed(prefixes));
  return *std::find_if(prefixes.begin(), prefixes.end(), is_query);
}

int import_weights(const Options& options) {
  check_target(options);
  const bool is_ours = data::has_ending(options.source, {".safetensors"});
  const auto tensors = is_ours ? data::read_safetensors(options.source).tensors
                               : data::read_torch_file(options.source);
  const auto prefix = choose_prefix(tensors, options);
  if (!prefix.empty()) log::info("importing the tensors under '{}'", prefix);
  data::NamedTensors weights;
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(prefix)) weights.emplace(name.substr(prefix.size()), tensor);
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
          "checkpoint), or a .safetensors file")
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
                   "A .pth, .pt or .tar file written by torch.save (no code in it is run), or a "
                   ".safetensors file: a ResNet-18 or -50 under torchvision's names, alone or "
                   "within a larger model")
      ->required();
  add_target(command, options.get());
  command->option_defaults()->group("Input");
  command->add_option("--prefix",
                      options->prefix,
                      "Which network, if there are several: the prefix of its names; default: the "
                      "only one, or MoCo's encoder_q");
  command->callback(
      [options, &action] { action = [options] { return import_weights(*options); }; });
}

}  // namespace stc::launcher
