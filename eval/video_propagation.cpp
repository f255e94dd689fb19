#include "eval/video_propagation.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <array>
#include <chrono>

#include "eval/label_maps.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

constexpr int kFeatureStage = 3;
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

// Adds the time from its construction to its end.
class Timer {
 public:
  explicit Timer(double* seconds) : seconds_(seconds) {}
  ~Timer() {
    *seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

 private:
  double* seconds_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

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

}  // namespace

StageSeconds& StageSeconds::operator+=(const StageSeconds& other) {
  features += other.features;
  propagation += other.propagation;
  masks += other.masks;
  return *this;
}

std::string settle_void(data::LabelMap* labels) {
  const auto present = labels_in(*labels);
  if (!present[kVoid]) return "";
  const bool is_binary = std::count(present.begin(), present.end(), true) == 1 + present[0];
  std::replace(labels->labels.begin(),
               labels->labels.end(),
               kVoid,
               static_cast<std::uint8_t>(is_binary ? 1 : 0));
  return is_binary ? "the first mask holds nothing but 0 and 255: 255 is read as object 1"
                   : "255 in the first mask is read as background";
}

VideoPropagation::VideoPropagation(const models::ResNet& trunk,
                                   const VideoOptions& options,
                                   const data::Image& first,
                                   const data::LabelMap& labels,
                                   const std::string& labels_name)
    : trunk_(trunk),
      options_(options),
      frame_size_{first.height, first.width},
      input_size_(data::scaled_to_short_side(
          first.height, first.width, static_cast<int>(options.short_side))) {
  STC_CHECK_DATA(labels.height == first.height && labels.width == first.width,
                 labels_name,
                 ": the mask is ",
                 labels.width,
                 "x",
                 labels.height,
                 ", the first frame ",
                 first.width,
                 "x",
                 first.height,
                 "; expected equal sizes");
  const auto map = features(first);
  // Two steps, as in published evaluations: to the input's size, then to the features'.
  input_labels_ = data::resize_labels(labels, input_size_);
  const auto small = data::resize_labels(
      input_labels_, {static_cast<int>(map.size(1)), static_cast<int>(map.size(2))});
  const auto wanted = labels_in(labels), kept = labels_in(small);
  for (int object = 1; object < 256; ++object)
    if (wanted[object] && !kept[object]) lost_objects_.push_back(object);
  const int channels = highest(options.keep_channels ? wanted : kept) + 1;
  propagation_.emplace(options.propagation, map, one_hot(small, channels));
}

at::Tensor VideoPropagation::features(const data::Image& frame) {
  const Timer timer(&seconds_.features);
  const c10::NoGradGuard no_grad;
  const auto like = trunk_.parameters().front().second;
  const auto input = data::propagation_input(frame, input_size_).to(like.options()).unsqueeze(0);
  return trunk_.forward(input, kFeatureStage, kFeatureStage, models::BatchNormMode::kEval)[0][0];
}

data::LabelMap VideoPropagation::first_mask() const {
  return nearest_by_floor(input_labels_, frame_size_);
}

data::LabelMap VideoPropagation::next(const data::Image& frame, const std::string& name) {
  STC_CHECK_DATA(frame.height == frame_size_.height && frame.width == frame_size_.width,
                 name,
                 ": is ",
                 frame.width,
                 "x",
                 frame.height,
                 "; expected the first frame's ",
                 frame_size_.width,
                 "x",
                 frame_size_.height);
  const auto map = features(frame);
  at::Tensor soft;
  {
    const Timer timer(&seconds_.propagation);
    soft = propagation_->step(map);
  }
  const Timer timer(&seconds_.masks);
  return to_label_map(to_mask(soft, frame.height, frame.width).labels);
}

}  // namespace stc::eval
