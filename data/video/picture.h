// A decoded frame as an upright RGB image. Private to data/video.
#pragma once

#include <optional>
#include <string>

#include "data/images/image.h"
#include "data/video/ffmpeg.h"

namespace stc::data {

/// EXIF's orientation (1 to 8) that a display matrix stands for; nullopt if its angle is not a
/// multiple of 90 degrees. Scale and offset are ignored. Nullptr is upright.
std::optional<int> orientation_of(const std::int32_t* display_matrix);

/// Whether an orientation swaps height and width.
inline bool swaps_sides(int orientation) { return orientation >= 5; }

/// Converts frames, each by its own size, pixel format, matrix and range.
class PictureConverter {
 public:
  /// `name` begins errors: stc::Error (kBadData) for pictures that are too large or whose matrix
  /// libswscale does not know.
  Image convert(const AVFrame& frame, int orientation, const std::string& name);

 private:
  void prepare(const AVFrame& frame, int matrix, const std::string& name);

  Scaler scaler_;
  Frame planes_;  // green, blue, red
};

}  // namespace stc::data
