#include "eval/scores/part_iou.h"

#include <numeric>

#include "monitoring/check.h"

namespace stc::eval {
namespace {

using Shares = std::array<std::optional<double>, data::kPartCount>;

std::optional<double> share(std::int64_t part, std::int64_t whole) {
  if (whole == 0) return std::nullopt;
  return static_cast<double>(part) / static_cast<double>(whole);
}

double mean(const Shares& shares) {
  double sum = 0;
  int count = 0;
  for (const auto& value : shares) {
    if (!value) continue;
    sum += *value;
    ++count;
  }
  return count > 0 ? sum / count : 0;
}

std::int64_t sum(const std::array<std::int64_t, data::kPartCount>& counts) {
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0});
}

}  // namespace

void PartCounts::add(const data::LabelMap& true_parts, const data::LabelMap& predicted_parts) {
  STC_CHECK(
      true_parts.height == predicted_parts.height && true_parts.width == predicted_parts.width,
      "predicted parts are {}x{}, their truth {}x{}; equal sizes are expected",
      predicted_parts.width,
      predicted_parts.height,
      true_parts.width,
      true_parts.height);
  for (std::size_t i = 0; i < true_parts.labels.size(); ++i) {
    const auto expected = true_parts.labels[i], found = predicted_parts.labels[i];
    if (expected == data::kNoPart) continue;
    ++truth[expected];
    if (found != data::kNoPart) ++predicted[found];
    if (found == expected) ++common[expected];
  }
}

PartCounts& PartCounts::operator+=(const PartCounts& other) {
  for (int part = 0; part < data::kPartCount; ++part) {
    common[part] += other.common[part];
    predicted[part] += other.predicted[part];
    truth[part] += other.truth[part];
  }
  return *this;
}

PartScores part_scores(const PartCounts& counts) {
  PartScores scores;
  for (int part = 0; part < data::kPartCount; ++part) {
    scores.iou[part] = share(counts.common[part],
                             counts.predicted[part] + counts.truth[part] - counts.common[part]);
    scores.accuracy[part] = share(counts.common[part], counts.truth[part]);
  }
  scores.mean_iou = mean(scores.iou);
  scores.mean_accuracy = mean(scores.accuracy);
  scores.pixel_accuracy = share(sum(counts.common), sum(counts.truth)).value_or(0);
  return scores;
}

}  // namespace stc::eval
