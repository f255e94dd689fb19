// How labels are propagated: the [propagation] section, whose keys are the flags of `stc eval` and
// `stc propagate`, too.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "eval/propagation/propagation_presets.h"
#include "eval/propagation/video_propagation.h"
#include "launcher/config/schema.h"

namespace stc::launcher {

/// What published numbers of a benchmark were made with.
struct PropagationDefaults {
  eval::InputOptions input;
  std::int64_t half_window;  ///< cells, at stride 8
  std::int64_t half_window_at_4;
};
inline constexpr PropagationDefaults kDavisDefaults{{.short_side = 480}, 12, 35};
inline constexpr PropagationDefaults kJhmdbDefaults{{.square_side = 320}, 5, 12};
inline constexpr PropagationDefaults kVipDefaults{{.square_side = 560}, 16, 35};

/// What --input says; auto: the colours that the weights were trained on.
enum class InputChoice { kAuto, kLab, kRgb };

struct PropagationSettings : eval::PropagationRules {
  PropagationDefaults defaults;
  std::string preset;
  InputChoice colours = InputChoice::kAuto;  ///< those of the preset, unless it is "stt"
  int stride = 8;

  /// Those of a preset, on top of the benchmark's input; the half window is "auto". Throws
  /// stc::Error (kUsage) if there is no such preset.
  PropagationSettings(const PropagationDefaults& benchmark, std::string preset_name);
  void bind(ConfigSchema& schema);
  void decide_half_window();  ///< "auto" becomes that of the benchmark and the stride
  /// "auto" becomes the colours of the weights, "rgb" or "lab"; of "" that of the benchmark (Lab).
  void decide_input(const std::string& trained_on);
};

/// All but the preset, which the others follow from.
nlohmann::ordered_json settings_json(const PropagationSettings& settings);
/// Equal if the features of a frame are.
std::string features_key(const PropagationSettings& settings);

}  // namespace stc::launcher
