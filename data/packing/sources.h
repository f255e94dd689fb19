// Finds what there is to pack, and says what is left out. Private to data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/packing/pack_remarks.h"

namespace stc::data {

/// One image or video to pack.
struct PackSource {
  std::string name;  ///< relative to the source that was given
  std::string path;
  std::vector<std::string> frames = {};  ///< paths, if it is a folder of images; else none
};

struct FoundSources {
  std::vector<PackSource> sources;  ///< in natural order of their names
  std::vector<std::string>
      faults;  ///< what cannot be read: broken links, folders without permission
  PackRemarks left_out;
  std::int64_t files = 0;
  std::int64_t folders = 0;
};

/// Images: JPEG and PNG files. Throws stc::Error (kBadData) for a source that is missing or holds
/// nothing to pack.
FoundSources find_images(const std::vector<std::string>& sources);

/// Videos: files, and folders of images alone.
FoundSources find_videos(const std::vector<std::string>& sources);

}  // namespace stc::data
