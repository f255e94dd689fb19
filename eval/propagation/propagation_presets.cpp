#include "eval/propagation/propagation_presets.h"

#include "monitoring/check.h"

namespace stc::eval {
namespace {

// Contrastive random walks: the clip begins with copies of its first frame, which is searched as a
// whole; masks are shrunk and enlarged softly.
void apply_crw(InputOptions* input, VideoOptions* video) {
  input->colour = data::InputColour::kRgb;
  video->first_labels = FirstLabels::kBilinear;
  video->stretch = false;
  video->propagation.window = WindowShape::kCircle;
  video->propagation.window_first_frame = false;
  video->propagation.temperature = 0.05;
  video->propagation.first_frame = FirstFrame::kPadded;
}

void apply_dino(InputOptions* input, VideoOptions* video) {
  input->colour = data::InputColour::kRgb;
  input->long_side_multiple = 64;
  video->propagation.preceding = 7;
  video->propagation.top_k = 5;
  video->propagation.temperature = 0.1;
  video->propagation.first_frame = FirstFrame::kDistinct;
}

}  // namespace

const std::vector<std::string>& propagation_presets() {
  static const std::vector<std::string> names = {"stt", "vfs", "crw", "dino"};
  return names;
}

void apply_preset(const std::string& name, InputOptions* input, VideoOptions* video) {
  if (name == "stt") return;  // the defaults
  if (name == "vfs") {
    input->colour = data::InputColour::kRgb;
    video->propagation.window = WindowShape::kCircle;
  } else if (name == "crw") {
    apply_crw(input, video);
  } else {
    STC_CHECK_USAGE(name == "dino", "preset '{}'; expected stt, vfs, crw or dino", name);
    apply_dino(input, video);
  }
}

}  // namespace stc::eval
