#include "eval/propagation/video_propagation.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "eval/propagation/label_maps.h"
#include "tests/eval/golden_cases.h"

namespace stc::eval {
namespace {

using stc::test::largest_difference;

// Noise by formula: every cell looks different from its neighbours.
data::Image picture(int height, int width, int shift = 0) {
  data::Image image{height, width, {}};
  for (int y = 0; y < height; ++y)
    for (int x = shift; x < width + shift; ++x)
      for (int c = 0; c < 3; ++c)
        image.pixels.push_back(static_cast<std::uint8_t>((x / 8) * 97 + (y / 8) * 57 +
                                                         (x / 8) * (y / 8) * 31 + c * 80));
  return image;
}

const models::ResNet& trunk() {
  static const models::ResNet network(models::propagation_options(18, 8), 5);
  return network;
}

// The features of pictures that went in as squares of `side`.
FeatureExtractor square(std::int64_t side) { return {trunk(), {.square_side = side}}; }

PropagationOptions small_window() { return {.half_window = 3}; }

// The slow, obvious twin of both resizes: half-pixel centres, one map, one pixel at a time.
at::Tensor bilinear(const at::Tensor& map, std::int64_t height, std::int64_t width) {
  auto out = at::zeros({height, width}, at::kDouble);
  const auto at_axis = [](std::int64_t i, std::int64_t from, std::int64_t to) {
    const double centre =
        (static_cast<double>(i) + 0.5) * static_cast<double>(from) / static_cast<double>(to) - 0.5;
    return std::max(centre, 0.0);
  };
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const double v = at_axis(y, map.size(0), height), u = at_axis(x, map.size(1), width);
      const auto top = static_cast<std::int64_t>(v), left = static_cast<std::int64_t>(u);
      const auto bottom = std::min(top + 1, map.size(0) - 1);
      const auto right = std::min(left + 1, map.size(1) - 1);
      const double a = v - static_cast<double>(top), b = u - static_cast<double>(left);
      const auto pixel = [&](std::int64_t row, std::int64_t column) {
        return map[row][column].item<double>();
      };
      out[y][x] = (1 - a) * ((1 - b) * pixel(top, left) + b * pixel(top, right)) +
                  a * ((1 - b) * pixel(bottom, left) + b * pixel(bottom, right));
    }
  }
  return out;
}

at::Tensor two_maps() {
  return draw_heat_maps(at::tensor({20.0, 17.5, 44.0, 30.0}, at::kDouble).view({2, 2}), {48, 64});
}

TEST(HeatMapPropagation, GivesTheFirstMapsBackAfterTheyWereResizedToTheInput) {
  const auto maps = two_maps();
  const auto features = square(80).extract(picture(48, 64), "0.png");
  const auto first = HeatMapPropagation(small_window(), features, maps).first_maps();
  EXPECT_EQ(first.scalar_type(), at::kDouble);
  for (int joint = 0; joint < 2; ++joint) {
    const auto expected = bilinear(bilinear(maps[joint], 80, 80), 48, 64);
    EXPECT_LT(largest_difference(first[joint], expected), 1e-6);
  }
}

TEST(HeatMapPropagation, LeavesMapsOfAStillPictureAsTheyAreAtFeatureSize) {
  // With one vote a still frame's cells take the labels of the same cells of the first one.
  auto options = small_window();
  options.top_k = 1;
  const auto maps = two_maps();
  const auto features = square(64).extract(picture(48, 64), "0.png");
  HeatMapPropagation propagation(options, features, maps);
  const auto next = propagation.next(features.map);
  EXPECT_EQ(next.sizes(), (std::vector<std::int64_t>{2, 48, 64}));
  EXPECT_EQ(next.scalar_type(), at::kFloat);
  for (int joint = 0; joint < 2; ++joint) {
    const auto small = bilinear(bilinear(maps[joint], 64, 64), 8, 8);
    EXPECT_LT(largest_difference(next[joint], bilinear(small, 48, 64)), 1e-6);
  }
}

TEST(HeatMapPropagation, FollowsAMovingPatternEvenWithRandomWeights) {
  const auto points = at::tensor({50.0, 40.0, 90.0, 60.0}, at::kDouble).view({2, 2});
  auto extractor = square(128);
  HeatMapPropagation propagation(small_window(),
                                 extractor.extract(picture(96, 128), "0.png"),
                                 draw_heat_maps(points, {96, 128}));
  at::Tensor found;
  // The picture moves left by half a cell a frame.
  for (int t = 1; t <= 4; ++t)
    found = locate_key_points(
        propagation.next(extractor.extract(picture(96, 128, 4 * t), "a frame").map));
  const auto moved = points - at::tensor({16.0, 0.0}, at::kDouble);
  EXPECT_LT(largest_difference(found, moved), 8) << found;
}

}  // namespace
}  // namespace stc::eval
