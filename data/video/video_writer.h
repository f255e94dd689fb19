// Videos to look at: H.264 in mp4, which every browser plays.
#pragma once

#include <memory>
#include <string>

#include "data/images/image.h"

namespace stc::data {

/// yuv420p, BT.709, limited range, and marked as that. An odd height or width is made even by
/// repeating the last row or column; a video beyond H.264's level 5.2 (36,864 macroblocks, about
/// 4096 x 2304) is halved until it fits. Without finish() nothing stays behind. Throws stc::Error
/// (kFailed) naming the path.
class VideoWriter {
 public:
  static std::unique_ptr<VideoWriter> create(const std::string& path,
                                             int height,
                                             int width,
                                             double frames_per_second);
  virtual ~VideoWriter() = default;
  virtual void add(const Image& frame) = 0;  ///< of the size given to create()
  virtual void finish() = 0;
};

}  // namespace stc::data
