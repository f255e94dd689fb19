#include "eval/propagation/label_maps.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "monitoring/check.h"

namespace stc::eval {
namespace {

// (v - min) / (max - min), if the channel is above 0 somewhere.
at::Tensor stretched(const at::Tensor& channels) {
  const auto low = channels.amin({1, 2}, true), high = channels.amax({1, 2}, true);
  return at::where(high > 0, (channels - low) / (high - low + 1e-12), channels);
}

}  // namespace

at::Tensor one_hot(const data::LabelMap& map, std::int64_t channels) {
  const auto highest = *std::max_element(map.labels.begin(), map.labels.end());
  STC_CHECK(highest < channels,
            "a label map holds index {}; expected one below {}",
            static_cast<int>(highest),
            channels);
  auto labels = at::zeros({channels, map.height, map.width}, at::kFloat);
  float* values = labels.mutable_data_ptr<float>();
  const auto cells = static_cast<std::int64_t>(map.labels.size());
  for (std::int64_t i = 0; i < cells; ++i) values[map.labels[i] * cells + i] = 1;
  return labels;
}

LabelMask to_mask(const at::Tensor& soft, std::int64_t height, std::int64_t width, bool stretch) {
  STC_CHECK(soft.dim() == 3 && soft.size(0) >= 1 && soft.size(0) <= 256,
            "soft labels are {}; expected [K, h, w] with 1 to 256 channels",
            soft.sizes());
  const auto large = at::upsample_bilinear2d(soft.unsqueeze(0), {height, width}, false)[0];
  const auto channels = stretch ? stretched(large) : large;
  auto winner = channels[0].clone();
  auto runner_up = at::zeros_like(winner);
  auto labels = at::zeros({height, width}, at::kByte);
  for (std::int64_t k = 1; k < channels.size(0); ++k) {
    const auto wins = channels[k] > winner;
    runner_up = k == 1 ? at::minimum(winner, channels[1])
                       : at::maximum(runner_up, at::minimum(winner, channels[k]));
    winner = at::where(wins, channels[k], winner);
    labels.masked_fill_(wins, k);
  }
  return {labels, winner - runner_up};
}

data::LabelMap to_label_map(const at::Tensor& labels) {
  const auto source = labels.contiguous();
  const auto* values = source.const_data_ptr<std::uint8_t>();
  return {static_cast<int>(source.size(0)),
          static_cast<int>(source.size(1)),
          {values, values + source.numel()}};
}

}  // namespace stc::eval
