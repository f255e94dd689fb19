// An overlay or a clip as a video file.
#pragma once

#include <memory>
#include <string>

#include "data/images/image.h"

namespace stc::data {

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
