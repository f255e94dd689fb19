// Strips of frames with what was found drawn over them, each evaluation a row, the truth above.
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

/// By benchmark; up to `most` clips of each, half of them the best and half the worst of its first
/// evaluation. DAVIS is drawn from its data and the masks, the others show what `stc eval
/// --overlays` has drawn.
std::map<std::string, Pictures> draw_pictures(const std::vector<ReportedEvaluation>& evaluations,
                                              std::size_t most);

}  // namespace stc::launcher
