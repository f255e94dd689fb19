// Results drawn over frames: label maps and key points, strips of frames, and their files.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "data/images/image.h"
#include "data/video/video_writer.h"

namespace stc::eval {

/// The image with each label's colour (VOC palette, brightened) blended over its pixels, and in
/// full along its outline. Sizes must be equal. opacity in [0, 1].
data::Image overlay(const data::Image& image, const data::LabelMap& labels, double opacity = 0.4);

/// The image with a disc at each of JHMDB's joints [15, 2] and a line to its parent joint;
/// right limbs orange, left ones blue, the rest green. Joints at (-1, -1) are left out.
data::Image pose_overlay(const data::Image& image, const at::Tensor& points);

/// Smaller by averaging the pixels that fall together; the ratio is kept. An image that is no
/// higher stays as it is.
data::Image shrink(const data::Image& image, int height);

/// Pictures of one row side by side, rows one below the other, `gap` white pixels between. Rows may
/// differ in length, pictures in size; each keeps the upper left corner of its cell.
data::Image contact_sheet(const std::vector<std::vector<data::Image>>& rows, int gap);

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
