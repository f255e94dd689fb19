// A VIP tree: Images/SEQ, Category_ids/SEQ (or Annotations/[Category_ids/]SEQ),
// lists/val_videos.txt.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "data/images/image.h"

namespace stc::data {

constexpr int kPartCount = 20;         ///< labels 0 .. 19; 0 is background
constexpr std::uint8_t kNoPart = 255;  ///< a pixel that is not scored
extern const std::array<const char*, kPartCount> kPartNames;

struct VipSequence {
  std::string name;
  std::vector<std::string> images;       ///< full paths, natural order; empty where not asked for
  std::vector<std::string> annotations;  ///< full paths, one an image, of the same stem
  std::string fault = {};  ///< what is wrong with its files, where faulty ones are kept
};

struct VipOptions {
  std::string split;  ///< file with one sequence name a line; empty: lists/val_videos.txt, else
                      ///< all with annotations
  bool need_images = true;  ///< false: a tree, or a bare folder of SEQ/*.png, for scoring
  /// Clips with missing files stay in the list, their `fault` saying what is wrong; else the first
  /// of them is an error.
  bool keep_faulty = false;
};

/// `root` is VIP_Fine or the folder that holds it. Throws stc::Error (kBadData) naming the path: no
/// such folder, a listed sequence that is absent, one without frames, an image without annotation,
/// counts that differ.
std::vector<VipSequence> open_vip(const std::string& root, const VipOptions& options);

/// A PNG with a palette or in grey. Throws stc::Error (kBadData) naming file and label where one is
/// neither a part nor 255.
LabelMap read_part_labels(const std::string& path);

}  // namespace stc::data
