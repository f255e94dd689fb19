// Results drawn over the frames of one clip: a picture per frame, and a video.
#pragma once

#include <memory>
#include <string>

#include "data/images/image.h"
#include "data/images/video.h"

namespace stc::eval {

inline constexpr char kTruthFolder[] = "truth";

/// Writes OUT/overlays/CLIP/FRAME.jpg, the truth to OUT/overlays/CLIP/truth/FRAME.jpg, and both
/// side by side to OUT/overlays/CLIP.mp4. Without finish() the unfinished video
/// is removed.
class OverlayFiles {
 public:
  OverlayFiles(const std::string& out, const std::string& clip);

  /// Pictures of equal size: what was found, and the truth.
  void add(const std::string& frame, const data::Image& found, const data::Image& truth);
  void finish();

 private:
  std::string folder_;
  std::unique_ptr<data::VideoWriter> video_;
};

}  // namespace stc::eval
