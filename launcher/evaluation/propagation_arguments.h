// What `stc eval`, `stc sweep` and `stc propagate` share: settings from a file and flags, and the
// weights.
#pragma once

#include <cstdint>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "launcher/evaluation/propagation_settings.h"
#include "models/resnet.h"

namespace CLI {
class App;
}

namespace stc::launcher {

struct PropagationArguments {
  PropagationDefaults defaults = kDavisDefaults;
  std::string weights;
  int depth = 0;  ///< of random weights; 0: as the file says
  std::string config;
  std::vector<std::string> overrides;  ///< "--propagation.key=value", from the flags
  int threads = 0;                     ///< 0: as many as LibTorch takes by itself
  std::string device = "auto";         ///< "auto", "cpu" or "cuda"
  std::string precision = "float32";   ///< or "tf32", on a GPU
};

/// --precision, of stc eval, propagate and sweep.
void add_precision_option(CLI::App* command, std::string* precision);

/// `arguments` must outlive the parsing; its defaults show in the help.
void add_propagation_options(CLI::App* command, PropagationArguments* arguments);

/// The preset, then the other keys of the file, then of the flags; a half window of "auto" becomes
/// that of the stride. Throws stc::Error (kUsage).
PropagationSettings read_settings(const PropagationArguments& arguments);

struct PropagationTrunk {
  models::ResNet network;
  std::string weights;       ///< the path, or "random:SEED"
  std::uint32_t crc32c = 0;  ///< of all weights, by name
  std::string precision = "float32";
  std::string input = "";  ///< colours that the weights were trained on; "" if nothing says it
};

/// Decides the settings' input by the trunk's. Returns a line for the user: which colours the
/// network sees, and whether they are those that it was trained on; "" for random weights.
std::string choose_input(const PropagationTrunk& trunk, PropagationSettings* settings);

/// What read_weights() takes, or random[:SEED], which needs a depth; on
/// `device`. From then on the process computes in its precision. Throws stc::Error naming what is
/// wrong.
PropagationTrunk load_trunk(const PropagationArguments& arguments, int stride, at::Device device);

}  // namespace stc::launcher
