#include "launcher/evaluation/propagation_arguments.h"

#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "eval/propagation/propagation_presets.h"
#include "launcher/config/schema.h"
#include "launcher/evaluation/propagation_rules.h"
#include "launcher/run_folder/checkpoint.h"
#include "launcher/training/rank_equality.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

constexpr std::int64_t kAuto = -1;
constexpr std::int64_t kMost = 1'000'000;

struct Flag {
  std::string name;
  std::string key;
  std::string help;
};

bool is_square(const eval::InputOptions& input) { return input.square_side > 0; }

std::int64_t side_of(const eval::InputOptions& input) {
  return is_square(input) ? input.square_side : input.short_side;
}

const char* side_key(const eval::InputOptions& input) {
  return is_square(input) ? "side" : "short_side";
}

Flag side_flag(const eval::InputOptions& input) {
  return {is_square(input) ? "--side" : "--short-side",
          side_key(input),
          text("{}{}]",
               is_square(input) ? "Frames are resized to a square of this side ["
                                : "Frames are resized to this shorter side, or native [",
               side_of(input))};
}

std::vector<Flag> flags_of(const PropagationDefaults& defaults) {
  return {
      {"--preset",
       "preset",
       "Rules of a published evaluation: stt, vfs, crw, dino; other settings come after it [stt]"},
      {"--stride", "stride", "Pixels a feature cell: 8 or 4 [8]"},
      side_flag(defaults.input),
      {"--half-window",
       "half_window",
       text("Search this many cells around [{}; {} at stride 4]",
            defaults.half_window,
            defaults.half_window_at_4)},
      {"--preceding", "preceding", "Preceding frames that are searched, beside the first [20]"},
      {"--top-k", "top_k", "Best cells that vote [10]"},
      {"--temperature", "temperature", "Of the softmax over them [0.07]"},
      {"--first-frame",
       "first_frame",
       "reference: searched twice while it is also a preceding one; distinct: once; padded: as "
       "often as preceding frames are missing [reference]"},
      {"--window", "window", "square, or circle: cells closer than the half window [square]"},
      {"--window-first-frame", "window_first_frame", "false: all of the first frame [true]"},
      {"--hard-labels", "hard_labels", "true: a cell carries on its best label alone [false]"},
      {"--first-labels", "first_labels", "Shrinks masks: nearest or bilinear [nearest]"},
      {"--normalise", "normalise", "Of each label over a picture: minmax or none [minmax]"},
      {"--input", "input", "lab, or rgb by ImageNet's mean [lab]"},
      {"--long-side-multiple", "long_side_multiple", "Cuts the longer side to one of these [1]"}};
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
                              std::int64_t stride,
                              std::int64_t seed) {
  STC_CHECK_USAGE(
      arguments.depth != 0,
      "--weights {} needs --depth 18 or --depth 50: random weights have none of their own",
      arguments.weights);
  return models::ResNet(
      models::propagation_options(static_cast<int>(arguments.depth), static_cast<int>(stride)),
      static_cast<std::uint64_t>(seed));
}

models::ResNet network_of_file(const PropagationArguments& arguments, std::int64_t stride) {
  const auto weights = read_weights(arguments.weights);
  const int depth = models::depth_of(weights, arguments.weights);
  STC_CHECK_USAGE(arguments.depth == 0 || arguments.depth == depth,
                  "{} holds a ResNet-{}, --depth says {}; leave --depth out",
                  arguments.weights,
                  depth,
                  arguments.depth);
  models::ResNet network(models::propagation_options(depth, static_cast<int>(stride)), 0);
  network.load(weights, arguments.weights);
  return network;
}

std::int64_t environment_number(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? 1 : std::atoll(value);
}

}  // namespace

void add_propagation_options(CLI::App* command, PropagationArguments* arguments) {
  command
      ->add_option("--weights",
                   arguments->weights,
                   "A .safetensors file, a checkpoint folder or a run folder; random[:SEED] "
                   "evaluates untrained weights on purpose")
      ->required();
  command->add_option("--depth", arguments->depth, "18 or 50, for random weights")
      ->check(CLI::IsMember({18, 50}));
  command->add_option("--config", arguments->config, "TOML file with a [propagation] section");
  for (const auto& flag : flags_of(arguments->defaults)) {
    command->add_option_function<std::string>(
        flag.name,
        [arguments, key = flag.key](const std::string& value) {
          arguments->overrides.push_back(text("--propagation.{}={}", key, value));
        },
        flag.help);
  }
  command->add_flag_callback(
      "--keep-channels",
      [arguments] { arguments->overrides.push_back("--propagation.keep_channels=true"); },
      "A label for every object, also for those lost in shrinking the first mask");
  command->add_option("--device", arguments->device, "cpu, cuda, or auto: a GPU where there is one")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
  command->add_option("--threads", arguments->threads, "Compute threads; 0: one a core")
      ->check(CLI::Range(0, 1024));
}

namespace {

// On top of `preset`; what the file and the flags say instead is left in it.
PropagationSettings settings_over(std::string* preset, const PropagationArguments& arguments) {
  PropagationSettings settings;
  auto& o = settings.video.propagation;
  std::int64_t half_window = kAuto;
  auto& input = settings.input = arguments.defaults.input;
  eval::apply_preset(*preset, &input, &settings.video);
  PropagationRules rules;
  ConfigSchema schema;
  const auto effect = Effect::kOperation;
  const auto integer = [&](const char* key, std::int64_t* field, std::int64_t least) {
    schema.integer(text("propagation.{}", key), field, least, kMost, effect, "");
  };
  schema.text("propagation.preset", preset, eval::propagation_presets(), effect, "");
  integer("stride", &settings.stride, 4);
  if (is_square(input)) {
    integer("side", &input.square_side, 16);
  } else {
    schema.integer_or_word(
        "propagation.short_side", &input.short_side, 16, kMost, "native", 0, effect, "");
  }
  schema.integer_or_word(
      "propagation.half_window", &half_window, 0, kMost, "auto", kAuto, effect, "");
  integer("preceding", &o.preceding, 0);
  integer("top_k", &o.top_k, 1);
  schema.number("propagation.temperature", &o.temperature, 1e-6, 1e6, effect, "");
  bind_rules(&schema, &settings, &rules);
  schema.boolean("propagation.keep_channels", &settings.video.keep_channels, effect, "");
  if (!arguments.config.empty()) schema.read_file(arguments.config);
  for (const auto& argument : arguments.overrides) schema.override_with(argument);
  STC_CHECK_USAGE(settings.stride == 8 || settings.stride == 4,
                  "propagation.stride is {}; expected 8 or 4",
                  settings.stride);
  o.half_window = half_window != kAuto   ? half_window
                  : settings.stride == 4 ? arguments.defaults.half_window_at_4
                                         : arguments.defaults.half_window;
  apply_rules(rules, &settings);
  return settings;
}

}  // namespace

PropagationSettings read_settings(const PropagationArguments& arguments) {
  std::string preset = eval::propagation_presets().front();
  const auto settings = settings_over(&preset, arguments);
  return preset == eval::propagation_presets().front() ? settings
                                                       : settings_over(&preset, arguments);
}

nlohmann::ordered_json settings_json(const PropagationSettings& settings) {
  const auto& o = settings.video.propagation;
  nlohmann::ordered_json json = {{"stride", settings.stride},
                                 {side_key(settings.input), side_of(settings.input)},
                                 {"half_window", o.half_window},
                                 {"preceding", o.preceding},
                                 {"top_k", o.top_k},
                                 {"temperature", o.temperature},
                                 {"keep_channels", settings.video.keep_channels}};
  add_rules(settings, &json);
  return json;
}

PropagationDefaults defaults_of(const std::string& benchmark) {
  if (benchmark == "davis") return kDavisDefaults;
  if (benchmark == "jhmdb") return kJhmdbDefaults;
  STC_CHECK_USAGE(
      benchmark == "vip", "benchmark '{}' is unknown; expected davis, jhmdb or vip", benchmark);
  return kVipDefaults;
}

std::string features_key(const PropagationSettings& settings) {
  const auto& input = settings.input;
  return text("{} {} {} {} {}",
              settings.stride,
              input.short_side,
              input.square_side,
              input.long_side_multiple,
              static_cast<int>(input.colour));
}

PropagationTrunk load_trunk(const PropagationArguments& arguments,
                            std::int64_t stride,
                            at::Device device) {
  const auto seed = random_seed(arguments.weights);
  auto network =
      seed >= 0 ? random_network(arguments, stride, seed) : network_of_file(arguments, stride);
  network.set_requires_grad(false);
  const auto sum = checksum(network.state());
  network.to(device, at::kFloat);
  return {std::move(network), seed >= 0 ? text("random:{}", seed) : arguments.weights, sum};
}

void prepare_process(const PropagationArguments& arguments, const std::string& command) {
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS"}) {
    STC_CHECK_USAGE(environment_number(name) <= 1,
                    "stc {}: started as {} ranks ({}), which would all write the same folder; "
                    "start one process, it uses all cores",
                    command,
                    environment_number(name),
                    name);
  }
  if (arguments.threads > 0) at::set_num_threads(static_cast<int>(arguments.threads));
}

}  // namespace stc::launcher
