// Intersection over union of VIP's parts (docs/evaluation.md). Counts of frames add up, so that
// clips may be scored anywhere.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "data/benchmarks/vip.h"
#include "data/images/image.h"

namespace stc::eval {

/// Pixels by part.
struct PartCounts {
  std::array<std::int64_t, data::kPartCount> common{};     ///< truth and prediction agree
  std::array<std::int64_t, data::kPartCount> predicted{};  ///< only in frames with a truth
  std::array<std::int64_t, data::kPartCount> truth{};

  /// Adds one frame; the sizes must be equal. Pixels whose truth is 255 are left out; one that is
  /// predicted as 255 counts as no part.
  void add(const data::LabelMap& true_parts, const data::LabelMap& predicted_parts);
  PartCounts& operator+=(const PartCounts& other);
};

struct PartScores {
  std::array<std::optional<double>, data::kPartCount> iou;       ///< none if neither shows the part
  std::array<std::optional<double>, data::kPartCount> accuracy;  ///< none if the truth lacks it
  double mean_iou = 0;  ///< over the parts that have one, background too
  double mean_accuracy = 0;
  double pixel_accuracy = 0;
};

PartScores part_scores(const PartCounts& counts);

}  // namespace stc::eval
