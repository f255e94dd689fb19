#include "launcher/evaluation/propagation_settings.h"

#include <nlohmann/json.hpp>
#include <utility>
#include <variant>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

constexpr std::int64_t kLargest = 1'000'000;
constexpr std::int64_t kAuto = -1;  // a half window that is not given

void bind_search(ConfigSchema& schema, eval::PropagationOptions& o) {
  schema.integer("propagation.preceding", &o.preceding)
      .range(0, kLargest)
      .help("Preceding frames that are searched, besides the first");
  schema.integer("propagation.top_k", &o.top_k).range(1, kLargest).help("Best cells that vote");
  schema.number("propagation.temperature", &o.temperature)
      .range(1e-6, 1e6)
      .help("Temperature of the softmax over the best cells");
}

void bind_rules(ConfigSchema& schema, eval::PropagationOptions& o) {
  using eval::FirstFrame, eval::WindowShape;
  schema
      .word("propagation.window",
            &o.window,
            {{"square", WindowShape::kSquare}, {"circle", WindowShape::kCircle}})
      .help("square, or circle: cells closer than the half window");
  schema.boolean("propagation.window_first_frame", &o.window_first_frame)
      .help("false: all of the first frame is searched");
  schema
      .word("propagation.first_frame",
            &o.first_frame,
            {{"reference", FirstFrame::kReference},
             {"distinct", FirstFrame::kDistinct},
             {"padded", FirstFrame::kPadded}})
      .help(
          "reference: searched twice while it is also a preceding frame; distinct: once; padded: "
          "once more per missing preceding frame");
  schema.boolean("propagation.hard_labels", &o.hard_labels)
      .help("true: each cell keeps its best label only");
}

void bind_masks(ConfigSchema& schema, eval::VideoOptions& o) {
  using eval::FirstLabels;
  schema
      .word("propagation.first_labels",
            &o.first_labels,
            {{"nearest", FirstLabels::kNearest}, {"bilinear", FirstLabels::kBilinear}})
      .help("How masks are shrunk: nearest or bilinear");
  schema.word("propagation.normalise", &o.stretch, {{"minmax", true}, {"none", false}})
      .help("Normalisation of each label over a frame: minmax or none");
}

void bind_input(ConfigSchema& schema, InputChoice& colours, eval::InputOptions& o) {
  schema
      .word("propagation.input",
            &colours,
            {{"auto", InputChoice::kAuto}, {"lab", InputChoice::kLab}, {"rgb", InputChoice::kRgb}})
      .help(
          "Colours of the network's input: lab, or rgb normalised by ImageNet's mean; auto: those "
          "that the weights were trained on, lab if nothing says it");
  schema.integer("propagation.long_side_multiple", &o.long_side_multiple)
      .range(1, 1024)
      .help("The longer side is cropped to a multiple of this many pixels");
}

}  // namespace

PropagationSettings::PropagationSettings(const PropagationDefaults& benchmark,
                                         std::string preset_name)
    : PropagationRules(eval::with_preset({.input = benchmark.input}, preset_name)),
      defaults(benchmark),
      preset(std::move(preset_name)) {
  if (input.colour == data::InputColour::kRgb) colours = InputChoice::kRgb;
  video.propagation.half_window = kAuto;
}

void PropagationSettings::bind(ConfigSchema& schema) {
  schema.text("propagation.preset", &preset)
      .one_of(eval::propagation_presets())
      .help("Rules of a published evaluation: stt, vfs, crw or dino; other options override them");
  schema.integer("propagation.stride", &stride)
      .range(4, kLargest)
      .help("Feature stride in pixels: 8 or 4");
  if (input.square_side > 0) {
    schema.integer("propagation.side", &input.square_side)
        .range(16, kLargest)
        .help("Frames are resized to a square of this side in pixels");
  } else {
    schema.integer("propagation.short_side", &input.short_side)
        .range(16, kLargest)
        .or_word("native", 0)
        .help("Frames are resized to this shorter side in pixels, or native");
  }
  schema.integer("propagation.half_window", &video.propagation.half_window)
      .range(0, kLargest)
      .or_word("auto", kAuto)
      .help(text("Cells that are searched in each direction; auto: {}, or {} at stride 4",
                 defaults.half_window,
                 defaults.half_window_at_4));
  bind_search(schema, video.propagation);
  schema.boolean("propagation.keep_channels", &video.keep_channels)
      .help("Keep a label for every object, even if it is lost in shrinking the first mask");
  bind_rules(schema, video.propagation);
  bind_masks(schema, video);
  bind_input(schema, colours, input);
}

void PropagationSettings::decide_half_window() {
  auto& half_window = video.propagation.half_window;
  if (half_window == kAuto)
    half_window = stride == 4 ? defaults.half_window_at_4 : defaults.half_window;
}

void PropagationSettings::decide_input(const std::string& trained_on) {
  if (colours == InputChoice::kAuto)
    colours = trained_on == "rgb" ? InputChoice::kRgb : InputChoice::kLab;
  input.colour = colours == InputChoice::kRgb ? data::InputColour::kRgb : data::InputColour::kLab;
}

nlohmann::ordered_json settings_json(const PropagationSettings& settings) {
  auto bound = settings;
  ConfigSchema schema;
  bound.bind(schema);
  nlohmann::ordered_json json;
  for (const ConfigKey& key : schema.keys()) {
    if (key.leaf() == "preset") continue;
    std::visit([&](const auto& value) { json[key.leaf()] = value; }, key.read());
  }
  return json;
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

}  // namespace stc::launcher
