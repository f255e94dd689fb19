#include "eval/propagation/video_propagation.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>

#include "data/benchmarks/object_masks.h"
#include "eval/propagation/label_maps.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

constexpr std::uint8_t kVoid = 255;

std::array<bool, 256> labels_in(const data::LabelMap& map) {
  std::array<bool, 256> present{};
  for (const auto label : map.labels) present[label] = true;
  return present;
}

int highest(const std::array<bool, 256>& present) {
  return static_cast<int>(std::find(present.rbegin(), present.rend(), true).base() -
                          present.begin()) -
         1;
}

// torch's 'nearest': the pixel at floor(x * in / out). Not PIL's rule, which takes centres.
data::LabelMap nearest_by_floor(const data::LabelMap& map, data::PictureSize size) {
  data::LabelMap out{size.height, size.width, {}};
  out.labels.reserve(static_cast<std::size_t>(size.height) * size.width);
  for (std::int64_t y = 0; y < size.height; ++y) {
    for (std::int64_t x = 0; x < size.width; ++x) {
      out.labels.push_back(map.at(static_cast<int>(y * map.height / size.height),
                                  static_cast<int>(x * map.width / size.width)));
    }
  }
  return out;
}

// Half-pixel centres, not antialiased.
at::Tensor bilinear(const at::Tensor& maps, std::int64_t height, std::int64_t width) {
  return at::upsample_bilinear2d(maps.unsqueeze(0), {height, width}, false)[0];
}

}  // namespace

ResolvedLabels resolve_void(data::LabelMap labels) {
  const auto present = labels_in(labels);
  if (!present[kVoid]) return {std::move(labels), ""};
  const bool is_binary = std::count(present.begin(), present.end(), true) == 1 + present[0];
  std::ranges::replace(labels.labels, kVoid, static_cast<std::uint8_t>(is_binary ? 1 : 0));
  return {std::move(labels),
          is_binary ? "the first mask holds nothing but 0 and 255: 255 is read as object 1"
                    : "255 in the first mask is read as background"};
}

ResolvedLabels read_first_mask(const std::string& path) {
  auto labels = data::read_object_mask(path);
  data::MeaningOf255 meaning;
  meaning.add(path, labels);
  (void)meaning.kind();  // throws
  return resolve_void(std::move(labels));
}

void check_mask_size(const data::LabelMap& labels,
                     const std::string& labels_name,
                     const data::Image& frame) {
  STC_CHECK_DATA(labels.height == frame.height && labels.width == frame.width,
                 "{}: the mask is {}x{}, the first frame {}x{}; expected equal sizes",
                 labels_name,
                 labels.width,
                 labels.height,
                 frame.width,
                 frame.height);
}

VideoPropagation::VideoPropagation(const VideoOptions& options,
                                   const FrameFeatures& first,
                                   const data::LabelMap& labels)
    : frame_size_{labels.height, labels.width},
      stretch_(options.stretch),
      // Two steps, as in published evaluations: to the input's size, then to the features'.
      input_labels_(data::resize_labels(labels, first.input_size)) {
  const auto small = data::resize_labels(
      input_labels_, {static_cast<int>(first.map.size(1)), static_cast<int>(first.map.size(2))});
  const auto wanted = labels_in(labels), kept = labels_in(small);
  const bool is_soft = options.first_labels == FirstLabels::kBilinear;
  for (int object = 1; object < 256; ++object)
    if (wanted[object] && !kept[object] && !is_soft) lost_objects_.push_back(object);
  const int channels = highest(options.keep_channels || is_soft ? wanted : kept) + 1;
  const auto first_labels =
      is_soft ? bilinear(one_hot(labels, channels), first.map.size(1), first.map.size(2))
              : one_hot(small, channels);
  propagation_.emplace(options.propagation, first.map, first_labels);
}

data::LabelMap VideoPropagation::first_mask() const {
  return nearest_by_floor(input_labels_, frame_size_);
}

data::LabelMap VideoPropagation::next(const at::Tensor& features) {
  const auto soft = propagation_timer_.time([&] { return propagation_->step(features); });
  return mask_timer_.time([&] {
    return to_label_map(to_mask(soft, frame_size_.height, frame_size_.width, stretch_).labels);
  });
}

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
