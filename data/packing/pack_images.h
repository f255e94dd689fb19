// Image folders and lists into shards.
#pragma once

#include <string>
#include <vector>

#include "data/packing/pack_options.h"

namespace stc::data {

/// Each source is a folder (searched recursively), an image, or a text file with one path a line,
/// relative to its own folder. Throws stc::Error: kBadData for sources that are missing, empty or
/// damaged, kUsage for `out`.
PackSummary pack_images(const std::vector<std::string>& sources, const PackOptions& options);

}  // namespace stc::data
