// What `stc eval` and `stc propagate` share: settings from a file and from flags, and the weights.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "eval/propagation/video_propagation.h"
#include "models/resnet.h"

namespace CLI {
class App;
}

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

/// Of "davis", "jhmdb" or "vip"; throws stc::Error (kUsage) for anything else.
PropagationDefaults defaults_of(const std::string& benchmark);

struct PropagationArguments {
  PropagationDefaults defaults = kDavisDefaults;
  std::string weights;
  std::int64_t depth = 0;  ///< of random weights; 0: as the file says
  std::string config;
  std::vector<std::string> overrides;  ///< "--propagation.key=value", from the flags
  std::int64_t threads = 0;            ///< 0: as many as LibTorch takes by itself
  std::string device = "auto";         ///< "auto", "cpu" or "cuda"
};

/// `arguments` must outlive the parsing; its defaults show in the help.
void add_propagation_options(CLI::App* command, PropagationArguments* arguments);

struct PropagationSettings {
  std::int64_t stride = 8;
  eval::InputOptions input;
  eval::VideoOptions video;
};

/// Preset, then the other settings of the file, then of the flags; a half window of "auto" becomes
/// that of the stride. Throws stc::Error (kUsage).
PropagationSettings read_settings(const PropagationArguments& arguments);
nlohmann::ordered_json settings_json(const PropagationSettings& settings);
/// Equal where the features of a frame are.
std::string features_key(const PropagationSettings& settings);

struct PropagationTrunk {
  models::ResNet network;
  std::string weights;       ///< the path, or "random:SEED"
  std::uint32_t crc32c = 0;  ///< of all weights, by name
};

/// A .safetensors file, a checkpoint or run folder, or random[:SEED], which needs a depth; on
/// `device`. Throws stc::Error naming what is wrong.
PropagationTrunk load_trunk(const PropagationArguments& arguments,
                            std::int64_t stride,
                            at::Device device);

/// Applies `threads`, refuses more than one rank: all of them would write the same folder.
void prepare_process(const PropagationArguments& arguments, const std::string& command);

}  // namespace stc::launcher
