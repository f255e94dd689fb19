// Label propagation with features of a device: the labels that come back are the CPU's.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "eval/propagation/frame_features.h"
#include "eval/propagation/label_maps.h"
#include "eval/propagation/video_propagation.h"
#include "tests/support/standin_device.h"

namespace stc::eval {
namespace {

constexpr int kFrames = 4;
const data::PictureSize kInput{48, 64};

std::vector<at::Tensor> features() {
  at::manual_seed(3);
  std::vector<at::Tensor> maps;
  for (int t = 0; t < kFrames; ++t) maps.push_back(at::randn({6, 6, 8}, at::kDouble));
  return maps;
}

data::LabelMap two_objects() {
  data::LabelMap map{96, 128, std::vector<std::uint8_t>(96 * 128)};
  for (int y = 10; y < 60; ++y)
    for (int x = 20; x < 110; ++x) map.labels[y * 128 + x] = x < 60 ? 1 : 2;
  return map;
}

std::vector<data::LabelMap> masks_on(at::Device device, const VideoOptions& options) {
  const auto maps = features();
  VideoPropagation propagation(options, {maps[0].to(device), kInput}, two_objects());
  std::vector<data::LabelMap> masks = {propagation.first_mask()};
  for (int t = 1; t < kFrames; ++t) masks.push_back(propagation.next(maps[t].to(device)));
  return masks;
}

TEST(PropagationOnADevice, GivesTheMasksOfTheCpuByEveryRule) {
  const auto device = test::gpu_or_standin();
  for (const auto labels : {FirstLabels::kNearest, FirstLabels::kBilinear}) {
    for (const bool hard : {false, true}) {
      for (const auto first :
           {FirstFrame::kReference, FirstFrame::kDistinct, FirstFrame::kPadded}) {
        VideoOptions options;
        options.first_labels = labels;
        options.propagation.half_window = 2;
        options.propagation.window_first_frame = !hard;
        options.propagation.preceding = 2;
        options.propagation.hard_labels = hard;
        options.propagation.first_frame = first;
        const auto expected = masks_on(at::kCPU, options), got = masks_on(device, options);
        for (int t = 0; t < kFrames; ++t) EXPECT_EQ(got[t].labels, expected[t].labels) << t;
      }
    }
  }
}

TEST(PropagationOnADevice, GivesTheHeatMapsOfTheCpu) {
  const auto device = test::gpu_or_standin();
  const auto points = at::tensor({30.0, 40.0, 90.0, 20.0}, at::kDouble).reshape({2, 2});
  const auto drawn = draw_heat_maps(points, {96, 128});
  const auto maps = features();
  PropagationOptions options;
  options.half_window = 2;
  HeatMapPropagation expected(options, {maps[0], kInput}, drawn);
  HeatMapPropagation got(options, {maps[0].to(device), kInput}, drawn);
  for (int t = 1; t < kFrames; ++t) {
    const auto map = got.next(maps[t].to(device));
    EXPECT_TRUE(at::allclose(map, expected.next(maps[t]), 0, 1e-12));
    EXPECT_TRUE(locate_key_points(map).is_cpu());
  }
}

TEST(PropagationOnADevice, MasksAreOfTheDeviceOfTheirSoftLabels) {
  at::manual_seed(4);
  const auto soft = at::rand({3, 6, 8}, at::kDouble);
  const auto expected = to_mask(soft, 96, 128);
  const auto got = to_mask(soft.to(test::gpu_or_standin()), 96, 128);
  EXPECT_FALSE(got.labels.is_cpu());
  EXPECT_TRUE(at::equal(got.labels.cpu(), expected.labels));
  EXPECT_EQ(to_label_map(got.labels).labels, to_label_map(expected.labels).labels);
}

TEST(PropagationOnADevice, FeaturesAreThoseOfTheCpu) {
  at::manual_seed(5);
  const auto pixels = at::randint(0, 256, {40, 56, 3}, at::kByte);
  data::Image frame{40, 56, {}};
  const auto* values = pixels.const_data_ptr<std::uint8_t>();
  frame.pixels.assign(values, values + pixels.numel());
  InputOptions input;
  input.short_side = 32;
  std::vector<at::Tensor> maps;
  for (const at::Device device : {at::Device(at::kCPU), test::gpu_or_standin()}) {
    models::ResNet trunk(models::propagation_options(18, 8), /*seed=*/1);
    trunk.set_requires_grad(false);
    trunk.to(device, at::kDouble);
    FeatureExtractor extractor(trunk, input);
    maps.push_back(extractor.extract(frame, "frame").map);
    EXPECT_EQ(maps.back().device(), device);
  }
  EXPECT_TRUE(at::allclose(maps[1].cpu(), maps[0], 1e-9, 1e-12));
}

}  // namespace
}  // namespace stc::eval
