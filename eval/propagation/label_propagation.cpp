#include "eval/propagation/label_propagation.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "monitoring/check.h"

namespace stc::eval {
namespace {

constexpr std::int64_t kMaxVotes = 1024;  // memory per cell grows with it

SearchWindow window_of(const PropagationOptions& options, std::int64_t height, std::int64_t width) {
  // Beyond the frame there is nothing to search.
  if (options.half_window >= height + width) return whole_frame(height, width);
  return options.window == WindowShape::kCircle ? circle_window(options.half_window)
                                                : square_window(options.half_window);
}

// labels [h * w, K]; the lowest of equal labels wins.
at::Tensor hardened(const at::Tensor& labels) {
  const auto best = labels.argmax(1, /*keepdim=*/true);
  return at::zeros_like(labels).scatter_(1, best, 1);
}

}  // namespace

void PropagationOptions::check() const {
  const std::int64_t min_half_window = window == WindowShape::kCircle ? 1 : 0;
  STC_CHECK_USAGE(half_window >= min_half_window,
                  "half_window is {}; expected {} or more{}",
                  half_window,
                  min_half_window,
                  min_half_window == 1 ? ": a circle holds the cells that are closer than it" : "");
  STC_CHECK_USAGE(preceding >= 0, "preceding is {}; expected 0 or more", preceding);
  STC_CHECK_USAGE(
      top_k >= 1 && top_k <= kMaxVotes, "top_k is {}; expected 1 to {}", top_k, kMaxVotes);
  STC_CHECK_USAGE(temperature > 0, "temperature is {}; expected more than 0", temperature);
}

LabelPropagation::LabelPropagation(const PropagationOptions& options,
                                   const at::Tensor& first_features,
                                   const at::Tensor& first_labels)
    : options_(options), dtype_(first_features.scalar_type()), size_(first_features.sizes().vec()) {
  options.check();
  STC_CHECK(
      first_features.dim() == 3 && first_labels.dim() == 3 &&
          first_features.size(1) == first_labels.size(1) &&
          first_features.size(2) == first_labels.size(2) && first_labels.numel() > 0,
      "label propagation: features are {}, labels {}; expected [C, h, w] and [K, h, w] of one size",
      first_features.sizes(),
      first_labels.sizes());
  window_ = window_of(options, size_[1], size_[2]);
  first_window_ = options.window_first_frame ? window_ : whole_frame(size_[1], size_[2]);
  const auto labels =
      first_labels.detach().to(first_features.device(), dtype_).flatten(1).t().contiguous();
  first_ = std::make_shared<SearchFrame>(make_search_frame(unit_features(first_features), labels));
  if (options.preceding > 0) preceding_.push_back(first_);
}

std::vector<SearchSlot> LabelPropagation::context() const {
  std::vector<SearchSlot> slots{
      {first_.get(), options_.window_first_frame ? &window_ : &first_window_}};
  if (options_.first_frame == FirstFrame::kPadded) {
    const auto missing = options_.preceding - static_cast<std::int64_t>(preceding_.size());
    slots.insert(slots.end(), missing, {first_.get(), &window_});
  }
  for (const auto& frame : preceding_) {
    if (frame == first_ && options_.first_frame == FirstFrame::kDistinct) continue;
    slots.push_back({frame.get(), &window_});
  }
  return slots;
}

at::Tensor LabelPropagation::step(const at::Tensor& features) {
  STC_CHECK(features.sizes() == at::IntArrayRef(size_) && features.scalar_type() == dtype_,
            "label propagation: features of frame {} are {}; expected the size and dtype of the "
            "first frame's",
            frames_,
            features.sizes());
  const auto unit = unit_features(features);
  auto labels = search_labels(unit, context(), {options_.top_k, options_.temperature});
  if (options_.hard_labels) labels = hardened(labels);
  preceding_.push_back(std::make_shared<SearchFrame>(make_search_frame(unit, labels)));
  ++frames_;
  if (static_cast<std::int64_t>(preceding_.size()) > options_.preceding) preceding_.pop_front();
  return labels.t().reshape({labels.size(1), size_[1], size_[2]}).contiguous().to(at::kCPU);
}

}  // namespace stc::eval
