// Masks of objects as people bring them: what tells labels from the soft edges of a drawing.
#pragma once

#include <cstdint>
#include <string>

#include "data/images/image.h"

namespace stc::data {

/// A PNG with a palette or in grey. Throws stc::Error (kBadData) naming the file if its edges are
/// soft (values between object and background, such as 85 and 170 beside 255, ring the objects), or
/// if its palette has the background's black at another index than 0.
LabelMap read_object_mask(const std::string& path);

/// What 255 is in one mask, or in the masks of one sequence.
class MeaningOf255 {
 public:
  enum class Kind { kAbsent, kObject, kVoid };

  void add(const std::string& path, const LabelMap& map);
  /// No further mask can change it: one shows an object of another label.
  bool is_settled() const { return has_solid_label_; }
  /// Throws stc::Error (kBadData) naming the first mask with another label if 255 alone is an
  /// object and the others are stray pixels, which would turn the object into void.
  Kind kind() const;

 private:
  bool has_255_ = false, is_255_solid_ = false, has_solid_label_ = false;
  int stray_label_ = 0;  // the first other one
  std::int64_t stray_pixels_ = 0;
  std::string stray_path_;
};

}  // namespace stc::data
