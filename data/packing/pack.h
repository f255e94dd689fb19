// Images and videos into shards.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/packing/pack_remarks.h"

namespace stc::data {

struct PackOptions {
  std::string out;                 ///< folder to write
  bool force = false;              ///< replace a complete set
  bool skip_bad = false;           ///< leave out what cannot be read instead of failing
  bool apply_orientation = false;  ///< turn images upright by EXIF, encoding them again
  int quality = 95;                ///< of JPEGs that are encoded here, 1 to 100
  int max_side = 0;              ///< larger images are shrunk to this side in pixels; 0 keeps them
  double frames_per_second = 0;  ///< of video files, repeated or left out; 0 takes each frame once
  std::uint64_t shard_bytes = std::uint64_t{1} << 30;
  int threads = 1;
  std::function<void(std::int64_t done, std::int64_t total)> progress = [](auto, auto) {};

  void check() const;  ///< throws stc::Error (kUsage) naming the option and the rule
};

struct PackSummary {
  std::int64_t entries = 0;
  std::int64_t videos = 0;
  std::int64_t shards = 0;
  std::int64_t skipped = 0;               ///< bad sources left out, each named in the log
  std::uint64_t bytes = 0;                ///< on the disk
  std::int64_t files = 0;                 ///< found in the sources
  std::int64_t folders = 0;               ///< searched
  std::int64_t taken = 0;                 ///< of the files: images, video files, frames in folders
  std::vector<PackRemark> left_out = {};  ///< what was met and is neither taken nor bad
  std::vector<PackRemark> remarks = {};   ///< about what was taken
};

/// Each source is a folder (searched recursively), an image, or a text file with one path per line,
/// relative to its own folder. What a folder holds besides is left out and counted. Throws
/// stc::Error: kBadData for sources that are missing, empty or damaged, kUsage for options and for
/// `out`.
PackSummary pack_images(const std::vector<std::string>& sources, const PackOptions& options);

/// Each source is a video file, a folder of images (one video), or a folder of such, searched
/// recursively. Images beside video files are no clip, label images are none. Errors as of
/// pack_images(); a video shorter than two frames is a damaged source.
PackSummary pack_videos(const std::vector<std::string>& sources, const PackOptions& options);

}  // namespace stc::data
