#include "data/augment/lab_table.h"

#include <ATen/ATen.h>

#include <span>

#include "data/augment/clip_augment.h"

namespace stc::data {
namespace {

constexpr std::int64_t kValues = 256;  // of a channel

// All colours of one red: an image of green by blue.
Image colours_of(std::int64_t red) {
  Image image = blank_image(kValues, kValues);
  for (std::int64_t i = 0; i < kValues * kValues; ++i) {
    image.pixels[3 * i] = static_cast<std::uint8_t>(red);
    image.pixels[3 * i + 1] = static_cast<std::uint8_t>(i / kValues);
    image.pixels[3 * i + 2] = static_cast<std::uint8_t>(i % kValues);
  }
  return image;
}

}  // namespace

LabTable::LabTable(at::Device device) {
  const auto colours = at::empty({kValues, kValues * kValues, 3}, at::kFloat);
  std::vector<std::uint8_t> rgb(3 * kValues * kValues);
  const auto planes = at::empty({3, kValues * kValues}, at::kFloat);
  const std::span lab(planes.mutable_data_ptr<float>(), rgb.size());
  const ClipView whole{{0, 0, kValues, kValues}, false};
  for (std::int64_t red = 0; red < kValues; ++red) {
    render_clip_frame(colours_of(red), whole, kValues, rgb, lab);
    colours[red].copy_(planes.t());
  }
  colours_ = colours.view({-1, 3}).to(device);
}

at::Tensor LabTable::operator()(const at::Tensor& rgb) const {
  const auto wide = rgb.to(at::kInt);
  const auto colour = (wide.select(-3, 0) * (kValues * kValues))
                          .add_(wide.select(-3, 1), kValues)
                          .add_(wide.select(-3, 2));
  auto shape = colour.sizes().vec();
  shape.push_back(3);
  return colours_.index_select(0, colour.flatten()).view(shape).movedim(-1, -3).contiguous();
}

}  // namespace stc::data
