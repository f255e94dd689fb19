// Strips of frames with masks drawn over them: the truth above, each evaluation below.
#pragma once

#include <string>
#include <vector>

#include "launcher/report_runs.h"

namespace stc::launcher {

struct SequencePicture {
  std::string sequence;
  std::vector<std::string> rows;  ///< what each row of pictures shows
  std::string jpeg_base64;
};

struct Pictures {
  std::vector<SequencePicture> sequences;
  std::vector<std::string> notes;  ///< what could not be shown, and why
};

/// Up to `most` sequences of the data of the first evaluation; evaluations of other data are left
/// out with a note.
Pictures draw_pictures(const std::vector<ReportedEvaluation>& evaluations, std::size_t most);

}  // namespace stc::launcher
