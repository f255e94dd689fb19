#include "eval/frame_features.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "eval/stage_timer.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

constexpr int kFeatureStage = 3;

data::PictureSize input_size_of(const InputOptions& options, const data::Image& frame) {
  const auto square = static_cast<int>(options.square_side);
  if (square > 0) return {square, square};
  return data::scaled_to_short_side(
      frame.height, frame.width, static_cast<int>(options.short_side));
}

}  // namespace

FrameFeatures FeatureExtractor::extract(const data::Image& frame, const std::string& name) {
  const StageTimer timer(&seconds_);
  if (!frame_size_) frame_size_ = {frame.height, frame.width};
  STC_CHECK_DATA(frame.height == frame_size_->height && frame.width == frame_size_->width,
                 name,
                 ": is ",
                 frame.width,
                 "x",
                 frame.height,
                 "; expected the first frame's ",
                 frame_size_->width,
                 "x",
                 frame_size_->height);
  const c10::NoGradGuard no_grad;
  const auto size = input_size_of(options_, frame);
  const auto like = trunk_.parameters().front().second;
  const auto input = data::propagation_input(frame, size).to(like.options()).unsqueeze(0);
  const auto maps =
      trunk_.forward(input, kFeatureStage, kFeatureStage, models::BatchNormMode::kEval);
  return {maps[0][0], size};
}

}  // namespace stc::eval
