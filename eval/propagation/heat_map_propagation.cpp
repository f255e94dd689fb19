#include "eval/propagation/heat_map_propagation.h"

#include <ATen/ATen.h>

namespace stc::eval {
namespace {

// Half-pixel centres, not antialiased.
at::Tensor bilinear(const at::Tensor& maps, std::int64_t height, std::int64_t width) {
  return at::upsample_bilinear2d(maps.unsqueeze(0), {height, width}, false)[0];
}

}  // namespace

// Two steps, as in published evaluations: to the input's size as a picture, then to the features'.
HeatMapPropagation::HeatMapPropagation(const PropagationOptions& options,
                                       const FrameFeatures& first,
                                       const at::Tensor& maps)
    : frame_size_{static_cast<int>(maps.size(1)), static_cast<int>(maps.size(2))},
      input_maps_(data::resize_planes(maps, first.input_size)),
      propagation_(options,
                   first.map,
                   bilinear(input_maps_, first.map.size(1), first.map.size(2)).to(at::kFloat)) {}

at::Tensor HeatMapPropagation::first_maps() const {
  return bilinear(input_maps_, frame_size_.height, frame_size_.width);
}

at::Tensor HeatMapPropagation::next(const at::Tensor& features) {
  const auto soft = propagation_timer_.time([&] { return propagation_.step(features); });
  return map_timer_.time([&] { return bilinear(soft, frame_size_.height, frame_size_.width); });
}

}  // namespace stc::eval
