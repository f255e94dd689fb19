// Finds what there is to pack. Private to data.
#pragma once

#include <string>
#include <vector>

namespace stc::data {

struct PackSource {
  std::string name;  ///< relative to the source that was given
  std::string path;
};

/// Both in natural order of the name. Throw stc::Error (kBadData) for a source that is missing or
/// holds nothing to pack.
std::vector<PackSource> find_images(const std::vector<std::string>& sources);
std::vector<PackSource> find_videos(const std::vector<std::string>& sources);

}  // namespace stc::data
