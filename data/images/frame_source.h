// Frames of one video, in time order: from a video file, or a folder of images. No OpenCV in this
// header.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "data/images/image.h"

namespace stc::data {

class FrameSource {
 public:
  /// Throws stc::Error (kBadData) naming the path if it does not open or holds no frame.
  static std::unique_ptr<FrameSource> open(const std::string& path);
  virtual ~FrameSource() = default;
  virtual std::optional<Image> next() = 0;       ///< nullopt at the end
  virtual double frames_per_second() const = 0;  ///< 25 if unknown
};

}  // namespace stc::data
