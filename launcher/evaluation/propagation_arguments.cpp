#include "launcher/evaluation/propagation_arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "launcher/run_folder/weights.h"
#include "launcher/training/rank_equality.h"
#include "models/arithmetic_flags.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

// A flag per key of the schema: it sets the key as "--section.key=value" would.
void add_flag(CLI::App& command, const ConfigKey& key, std::vector<std::string>& overrides) {
  std::string flag = "--" + key.leaf();
  std::replace(flag.begin(), flag.end(), '_', '-');
  const auto set = [&overrides, name = key.name](const std::string& value) {
    overrides.push_back(text("--{}={}", name, value));
  };
  if (key.leaf() == "keep_channels") {
    command.add_flag_callback(
        flag, [set] { set("true"); }, key.help);
    return;
  }
  std::string default_text = key.to_toml(key.default_value);
  std::erase(default_text, '"');
  command.add_option_function<std::string>(flag, set, text("{} [{}]", key.help, default_text));
}

// On top of the preset; another one that the file or the flags name is left in it.
PropagationSettings read_over(const std::string& preset, const PropagationArguments& arguments) {
  PropagationSettings settings(arguments.defaults, preset);
  ConfigSchema schema;
  settings.bind(schema);
  schema.read(arguments.config, arguments.overrides);
  STC_CHECK_USAGE(settings.stride == 8 || settings.stride == 4,
                  "propagation.stride is {}; expected 8 or 4",
                  settings.stride);
  settings.decide_half_window();
  return settings;
}

// "random" or "random:7"; -1 for anything else.
std::int64_t random_seed(const std::string& weights) {
  if (weights == "random") return 0;
  const std::string prefix = "random:";
  if (!weights.starts_with(prefix)) return -1;
  const auto digits = weights.substr(prefix.size());
  STC_CHECK_USAGE(!digits.empty() && digits.size() < 10 &&
                      digits.find_first_not_of("0123456789") == std::string::npos,
                  "--weights {}: expected random or random:SEED, SEED a whole number",
                  weights);
  return std::stoll(digits);
}

models::ResNet random_network(const PropagationArguments& arguments,
                              int stride,
                              std::int64_t seed) {
  STC_CHECK_USAGE(
      arguments.depth != 0,
      "--weights {} needs --depth 18 or --depth 50: random weights have none of their own",
      arguments.weights);
  return models::ResNet(models::propagation_options(arguments.depth, stride),
                        static_cast<std::uint64_t>(seed));
}

models::ResNet network_of(const Weights& weights,
                          const PropagationArguments& arguments,
                          int stride) {
  const int depth = weights.depth;
  STC_CHECK_USAGE(arguments.depth == 0 || arguments.depth == depth,
                  "{} holds a ResNet-{}, --depth says {}; leave --depth out",
                  arguments.weights,
                  depth,
                  arguments.depth);
  models::ResNet network(models::propagation_options(depth, stride), 0);
  network.load(weights.tensors, arguments.weights, /*last_stage=*/3);
  return network;
}

}  // namespace

void add_propagation_options(CLI::App* command, PropagationArguments* arguments) {
  command->option_defaults()->group("Input");
  command
      ->add_option(
          "--weights",
          arguments->weights,
          "A run folder, a checkpoint folder, or a file that `stc import` takes; or random[:SEED] "
          "for untrained weights")
      ->required();
  command
      ->add_option("--depth",
                   arguments->depth,
                   "Depth of the ResNet; only for random weights, which need it")
      ->check(CLI::IsMember({18, 50}));
  command->option_defaults()->group("Method");
  command->add_option("--config", arguments->config, "TOML file with a [propagation] section");
  PropagationSettings settings(arguments->defaults, eval::propagation_presets().front());
  ConfigSchema schema;
  settings.bind(schema);
  for (const ConfigKey& key : schema.keys()) add_flag(*command, key, arguments->overrides);
  command->option_defaults()->group("Machine");
  command->add_option("--device", arguments->device, "cpu, cuda, or auto: a GPU if there is one")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  add_precision_option(command, &arguments->precision);
  command->add_option("--threads", arguments->threads, "Compute threads; 0: one per core")
      ->check(CLI::Range(0, 1024));
}

void add_precision_option(CLI::App* command, std::string* precision) {
  command
      ->add_option("--precision",
                   *precision,
                   "float32: the same numbers on every device; tf32: faster on a GPU, with factors "
                   "rounded to 10 bits")
      ->check(CLI::IsMember({"float32", "tf32"}))
      ->capture_default_str();
}

PropagationSettings read_settings(const PropagationArguments& arguments) {
  const auto& first = eval::propagation_presets().front();
  return read_over(read_over(first, arguments).preset, arguments);
}

PropagationTrunk load_trunk(const PropagationArguments& arguments, int stride, at::Device device) {
  const auto seed = random_seed(arguments.weights);
  const bool tf32 = arguments.precision == "tf32";
  STC_CHECK_USAGE(!tf32 || !device.is_cpu(),
                  "--precision tf32 needs a GPU, and the device is cpu; leave --precision out");
  models::apply_arithmetic_flags({.tf32 = tf32});
  const auto weights = seed >= 0 ? Weights() : read_weights(arguments.weights);
  auto network =
      seed >= 0 ? random_network(arguments, stride, seed) : network_of(weights, arguments, stride);
  network.set_requires_grad(false);
  const auto sum = checksum(network.state());
  network.to(device, at::kFloat);
  return {std::move(network),
          seed >= 0 ? text("random:{}", seed) : arguments.weights,
          sum,
          arguments.precision,
          weights.input};
}

std::string choose_input(const PropagationTrunk& trunk, PropagationSettings* settings) {
  const bool is_default = settings->colours == InputChoice::kAuto;
  settings->decide_input(trunk.input);
  const std::string used = data::word_for(settings->input.colour);
  if (trunk.weights.starts_with("random:")) return "";
  if (trunk.input.empty() && is_default)
    return text(
        "{}: nothing says which colours it was trained on; the input is {} (--input rgb for "
        "networks trained on RGB by ImageNet's mean; `stc import --input` records it)",
        trunk.weights,
        used);
  if (trunk.input.empty()) return text("{}: the input is {}, as chosen", trunk.weights, used);
  if (trunk.input == used)
    return text("{}: the input is {}, which it was trained on", trunk.weights, used);
  return text("{}: was trained on {}, and the input is {}, as {}; without that it would be {}",
              trunk.weights,
              trunk.input,
              used,
              settings->preset == "stt" ? "--input says" : "--input or --preset says",
              trunk.input);
}

}  // namespace stc::launcher
