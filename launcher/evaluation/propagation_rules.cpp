#include "launcher/evaluation/propagation_rules.h"

#include <array>
#include <nlohmann/json.hpp>
#include <utility>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

template <typename Value, std::size_t kCount>
using Words = std::array<std::pair<const char*, Value>, kCount>;

constexpr Words<eval::WindowShape, 2> kWindows = {
    {{"square", eval::WindowShape::kSquare}, {"circle", eval::WindowShape::kCircle}}};
constexpr Words<eval::FirstFrame, 3> kFirstFrames = {{{"reference", eval::FirstFrame::kReference},
                                                      {"distinct", eval::FirstFrame::kDistinct},
                                                      {"padded", eval::FirstFrame::kPadded}}};
constexpr Words<eval::FirstLabels, 2> kFirstLabels = {
    {{"nearest", eval::FirstLabels::kNearest}, {"bilinear", eval::FirstLabels::kBilinear}}};
constexpr Words<bool, 2> kNormalisations = {{{"minmax", true}, {"none", false}}};
constexpr Words<data::InputColour, 2> kInputs = {
    {{"lab", data::InputColour::kLab}, {"rgb", data::InputColour::kRgb}}};

template <typename Value, std::size_t kCount>
std::string word_of(const Words<Value, kCount>& words, Value value) {
  for (const auto& [word, meaning] : words)
    if (meaning == value) return word;
  throw Error(Exit::kFailed, "a rule of label propagation has no name");
}

template <typename Value, std::size_t kCount>
Value value_of(const Words<Value, kCount>& words, const std::string& name) {
  for (const auto& [word, meaning] : words)
    if (name == word) return meaning;
  throw Error(Exit::kFailed, text("no rule of label propagation is named '{}'", name));
}

template <typename Value, std::size_t kCount>
void bind_words(ConfigSchema* schema,
                const std::string& key,
                const Words<Value, kCount>& words,
                Value value,
                std::string* field) {
  std::vector<std::string> allowed;
  for (const auto& word : words) allowed.push_back(word.first);
  *field = word_of(words, value);
  schema->text("propagation." + key, field, allowed, Effect::kOperation, "");
}

}  // namespace

void bind_rules(ConfigSchema* schema, PropagationSettings* settings, PropagationRules* rules) {
  auto& video = settings->video;
  auto& propagation = video.propagation;
  bind_words(schema, "window", kWindows, propagation.window, &rules->window);
  bind_words(schema, "first_frame", kFirstFrames, propagation.first_frame, &rules->first_frame);
  bind_words(schema, "first_labels", kFirstLabels, video.first_labels, &rules->first_labels);
  bind_words(schema, "normalise", kNormalisations, video.stretch, &rules->normalise);
  bind_words(schema, "input", kInputs, settings->input.colour, &rules->input);
  const auto effect = Effect::kOperation;
  schema->boolean("propagation.window_first_frame", &propagation.window_first_frame, effect, "");
  schema->boolean("propagation.hard_labels", &propagation.hard_labels, effect, "");
  schema->integer(
      "propagation.long_side_multiple", &settings->input.long_side_multiple, 1, 1024, effect, "");
}

void apply_rules(const PropagationRules& rules, PropagationSettings* settings) {
  auto& video = settings->video;
  video.propagation.window = value_of(kWindows, rules.window);
  video.propagation.first_frame = value_of(kFirstFrames, rules.first_frame);
  video.first_labels = value_of(kFirstLabels, rules.first_labels);
  video.stretch = value_of(kNormalisations, rules.normalise);
  settings->input.colour = value_of(kInputs, rules.input);
}

void add_rules(const PropagationSettings& settings, nlohmann::ordered_json* json) {
  const auto& video = settings.video;
  (*json)["window"] = word_of(kWindows, video.propagation.window);
  (*json)["window_first_frame"] = video.propagation.window_first_frame;
  (*json)["first_frame"] = word_of(kFirstFrames, video.propagation.first_frame);
  (*json)["hard_labels"] = video.propagation.hard_labels;
  (*json)["first_labels"] = word_of(kFirstLabels, video.first_labels);
  (*json)["normalise"] = word_of(kNormalisations, video.stretch);
  (*json)["input"] = word_of(kInputs, settings.input.colour);
  (*json)["long_side_multiple"] = settings.input.long_side_multiple;
}

}  // namespace stc::launcher
