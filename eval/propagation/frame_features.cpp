#include "eval/propagation/frame_features.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>

#include "monitoring/check.h"

namespace stc::eval {
namespace {

constexpr int kFeatureStage = 3;

}  // namespace

data::PictureSize input_size(const InputOptions& options, int height, int width) {
  const auto square = static_cast<int>(options.square_side);
  if (square > 0) return {square, square};
  const int side =
      options.short_side > 0 ? static_cast<int>(options.short_side) : std::min(height, width);
  auto size = data::scaled_to_short_side(height, width, side);
  auto& longer = size.width >= size.height ? size.width : size.height;
  const auto multiple = static_cast<int>(options.long_side_multiple);
  longer = std::max(multiple, longer / multiple * multiple);
  return size;
}

FrameFeatures FeatureExtractor::extract(const data::Image& frame, const std::string& name) {
  if (!frame_size_) frame_size_ = {frame.height, frame.width};
  STC_CHECK_DATA(frame.height == frame_size_->height && frame.width == frame_size_->width,
                 "{}: is {}x{}; expected the first frame's {}x{}",
                 name,
                 frame.width,
                 frame.height,
                 frame_size_->width,
                 frame_size_->height);
  const c10::NoGradGuard no_grad;
  return timer_.time([&]() -> FrameFeatures {
    const auto size = input_size(options_, frame.height, frame.width);
    const auto like = trunk_.parameters().front().second;
    const auto input =
        data::propagation_input(frame, size, options_.colour).to(like.options()).unsqueeze(0);
    const auto maps =
        trunk_.forward(input, kFeatureStage, kFeatureStage, models::BatchNormMode::kEval);
    return {maps[0][0], size};
  });
}

}  // namespace stc::eval
