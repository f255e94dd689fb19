// Video files and folders of frames into shards.
#pragma once

#include <string>
#include <vector>

#include "data/packing/pack_options.h"

namespace stc::data {

/// Each source is a video file, a folder of images (one video), or a folder of such, searched
/// recursively. Errors as of pack_images(); a video shorter than two frames is a damaged source.
PackSummary pack_videos(const std::vector<std::string>& sources, const PackOptions& options);

}  // namespace stc::data
