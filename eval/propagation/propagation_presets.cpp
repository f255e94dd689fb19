#include "eval/propagation/propagation_presets.h"

#include <algorithm>

#include "monitoring/check.h"

namespace stc::eval {

const std::vector<std::string>& propagation_presets() {
  static const std::vector<std::string> names = {"stt", "vfs", "crw", "dino"};
  return names;
}

PropagationRules with_preset(PropagationRules rules, const std::string& name) {
  STC_CHECK_USAGE(std::ranges::count(propagation_presets(), name) == 1,
                  "preset '{}'; expected stt, vfs, crw or dino",
                  name);
  if (name == "stt") return rules;  // the defaults
  auto& [input, video] = rules;
  auto& search = video.propagation;
  input.colour = data::InputColour::kRgb;
  if (name == "vfs") search.window = WindowShape::kCircle;
  // Contrastive random walks: the clip begins with copies of its first frame, which is searched as
  // a whole; masks are shrunk and enlarged softly.
  if (name == "crw") {
    video.first_labels = FirstLabels::kBilinear;
    video.stretch = false;
    search.window = WindowShape::kCircle;
    search.window_first_frame = false;
    search.temperature = 0.05;
    search.first_frame = FirstFrame::kPadded;
  }
  if (name == "dino") {
    input.long_side_multiple = 64;
    search.preceding = 7;
    search.top_k = 5;
    search.temperature = 0.1;
    search.first_frame = FirstFrame::kDistinct;
  }
  return rules;
}

}  // namespace stc::eval
