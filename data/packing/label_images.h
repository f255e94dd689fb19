// Masks and other label images, which lie beside the frames of many data sets. Private to data.
#pragma once

#include <string>
#include <vector>

namespace stc::data {

/// What is known of a folder's images before they are looked at.
enum class LabelEvidence {
  kNone,  ///< only a palette of segmentation data sets shows that they are labels
  kGrey,  ///< of a video: so do grey PNGs of few values
  kName,  ///< the folder is called so: so do PNGs of few colours
};

/// Whether a folder of that path, relative to the source, is called as folders of labels are
/// (Annotations, masks, SegmentationClass, ...), at any level.
bool is_named_as_labels(const std::string& relative);

/// Whether `files` of one folder, of which a few are decoded, are label images. What does not
/// decode is not.
bool are_label_images(const std::vector<std::string>& files, LabelEvidence evidence);

}  // namespace stc::data
