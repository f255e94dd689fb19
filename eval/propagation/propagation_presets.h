// The rules of published evaluations by name (docs/evaluation.md), as far as they are rules of
// label propagation and not of a network.
#pragma once

#include <string>
#include <vector>

#include "eval/propagation/frame_features.h"
#include "eval/propagation/video_propagation.h"

namespace stc::eval {

const std::vector<std::string>& propagation_presets();  ///< their names; the first is the default

/// Sets all that the preset decides, and leaves the half window and the sizes of benchmarks alone.
/// Throws stc::Error (kUsage) for an unknown name.
void apply_preset(const std::string& name, InputOptions* input, VideoOptions* video);

}  // namespace stc::eval
