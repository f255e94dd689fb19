// Videos, frame by frame: reading and writing. No OpenCV in this header.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "data/images/image.h"

namespace stc::data {

/// Frames of one video, in time order: from a video file, or a folder of images.
class FrameSource {
 public:
  /// Throws stc::Error (kBadData) naming the path if it does not open or holds no frame.
  static std::unique_ptr<FrameSource> open(const std::string& path);
  virtual ~FrameSource() = default;
  virtual std::optional<Image> next() = 0;       ///< nullopt at the end
  virtual double frames_per_second() const = 0;  ///< 25 if unknown
};

/// Writes an H.264 (avc1, yuv420p) mp4 that plays in a browser. finish() must be called; it throws
/// on failure.
class VideoWriter {
 public:
  static std::unique_ptr<VideoWriter> create(const std::string& path,
                                             int height,
                                             int width,
                                             double frames_per_second);
  virtual ~VideoWriter() = default;
  virtual void add(const Image& frame) = 0;
  virtual void finish() = 0;
};

}  // namespace stc::data
