// The rules of published evaluations by name (docs/evaluation.md), as far as they are rules of
// label propagation and not of a network.
#pragma once

#include <string>
#include <vector>

#include "eval/propagation/frame_features.h"
#include "eval/propagation/video_propagation.h"

namespace stc::eval {

struct PropagationRules {
  InputOptions input{};
  VideoOptions video{};
};

const std::vector<std::string>& propagation_presets();  ///< their names; the first is the default

/// With all that the preset decides; the half window and the sizes of benchmarks stay as they are.
/// Throws stc::Error (kUsage) for an unknown name.
PropagationRules with_preset(PropagationRules rules, const std::string& name);

}  // namespace stc::eval
