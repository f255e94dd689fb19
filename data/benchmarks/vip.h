// A VIP tree: Images/SEQ, Category_ids/SEQ (or Annotations/[Category_ids/]SEQ),
// lists/val_videos.txt.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "data/benchmarks/sequence_files.h"
#include "data/images/image.h"

namespace stc::data {

constexpr int kPartCount = 20;         ///< labels 0 .. 19; 0 is background
constexpr std::uint8_t kNoPart = 255;  ///< a pixel that is not scored
extern const std::array<const char*, kPartCount> kPartNames;

using VipSequence = AnnotatedSequence;  ///< an annotation for each image, of the same stem
using VipOptions = SequenceOptions;

/// `root` is VIP_Fine or the folder that holds it. Throws stc::Error (kBadData) naming the path: no
/// such folder, a listed sequence that is absent, one without frames, an image without annotation,
/// counts that differ.
std::vector<VipSequence> open_vip(const std::string& root, const VipOptions& options);

/// A PNG with a palette or in grey. Throws stc::Error (kBadData) naming file and label if one is
/// neither a part nor 255.
LabelMap read_part_labels(const std::string& path);

}  // namespace stc::data
