// Strips of frames with masks or key points drawn over them: a row per evaluation, the truth above.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "launcher/report/evaluations.h"

namespace stc::launcher {

struct ClipPicture {
  std::string clip;
  std::vector<std::string> rows;  ///< what each row of pictures shows
  std::string jpeg_base64;
};

struct Pictures {
  std::vector<ClipPicture> clips;
  std::vector<std::string> notes;  ///< what could not be shown, and why
};

/// By benchmark, at most `max_clips` of each, half of them the best and half the worst of its first
/// evaluation. DAVIS is drawn from its data and the masks; the others show what `stc eval
/// --overlays` has drawn.
std::map<std::string, Pictures> draw_pictures(const Evaluations& evaluations,
                                              std::size_t max_clips);

}  // namespace stc::launcher
