// Frames of one video, in time order: from a video file, or a folder of images. No OpenCV in this
// header.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/images/image.h"

namespace stc::data {

class FrameSource {
 public:
  /// Throws stc::Error (kBadData) naming the path where it does not open or holds no frame.
  static std::unique_ptr<FrameSource> open(const std::string& path);
  virtual ~FrameSource() = default;
  virtual std::optional<Image> next() = 0;       ///< nullopt at the end
  virtual double frames_per_second() const = 0;  ///< 25 where unknown
};

/// Files of a folder (not recursive) with one of the endings (lower case, with dot), in natural
/// order ("2" < "10").
std::vector<std::string> list_files(const std::string& folder,
                                    const std::vector<std::string>& endings);
/// Files of a folder (not recursive) for which is_image_file() holds, in natural order.
std::vector<std::string> list_images(const std::string& folder);
/// Numbers by value ("2" < "10"), and "/" before all else, so that a folder's files stay together.
bool natural_less(const std::string& a, const std::string& b);

}  // namespace stc::data
