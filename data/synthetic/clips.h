// Annotated clips made of photographs, as a DAVIS tree: for trying an evaluation without annotated
// video.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stc::data {

struct SyntheticClipOptions {
  int clips = 6;
  int frames = 24;   ///< per clip, >= 3
  int height = 240;  ///< pixels, >= 64
  int width = 428;   ///< pixels, >= 64
  std::uint64_t seed = 0;
  bool replace = false;  ///< an earlier result is replaced once the new one is complete

  void check() const;  ///< throws stc::Error (kUsage) naming the option and the rule
};

/// Photographs are the JPEG and PNG files in `photos` (files, or folders searched recursively); at
/// least four. Writes OUT/JPEGImages/480p/clip-00/00000.jpg,
/// OUT/Annotations/480p/clip-00/00000.png, ..., OUT/ImageSets/2017/val.txt and OUT/sources.txt (the
/// photographs of each clip). Equal input gives equal files. Clips 1, 3, ... have two objects, the
/// others one. Written under another name and renamed; throws stc::Error: kUsage if `out`
/// holds anything (ResultFolder), kBadData naming the photograph that cannot be read, or if there
/// are too few.
void synthesize_clips(const std::vector<std::string>& photos,
                      const std::string& out,
                      const SyntheticClipOptions& options);

}  // namespace stc::data
