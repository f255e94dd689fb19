#include "data/images/propagation_input.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

namespace stc::data {
namespace {

using testing::ElementsAre;

Image filled(int height, int width, std::uint8_t r, std::uint8_t g, std::uint8_t b) {
  Image image{height, width, {}};
  for (int i = 0; i < height * width; ++i) image.pixels.insert(image.pixels.end(), {r, g, b});
  return image;
}

std::vector<float> colour_of(const Image& image, PictureSize size) {
  const auto input = propagation_input(image, size);
  EXPECT_EQ(input.sizes(), (std::vector<std::int64_t>{3, size.height, size.width}));
  const auto pixel = input.flatten(1).select(1, 0).contiguous();
  return {pixel.const_data_ptr<float>(), pixel.const_data_ptr<float>() + 3};
}

TEST(ScaledToShortSide, KeepsTheRatioAndRoundsHalvesUp) {
  const auto sizes = [](int height, int width, int side) {
    const auto size = scaled_to_short_side(height, width, side);
    return std::vector<int>{size.height, size.width};
  };
  EXPECT_THAT(sizes(480, 854, 480), ElementsAre(480, 854));
  EXPECT_THAT(sizes(720, 1280, 480), ElementsAre(480, 853));
  EXPECT_THAT(sizes(1280, 720, 480), ElementsAre(853, 480));
  EXPECT_THAT(sizes(4, 5, 2), ElementsAre(2, 3));
}

TEST(PropagationInput, IsNormalisedLabOfSrgb) {
  EXPECT_THAT(colour_of(filled(4, 4, 255, 255, 255), {4, 4}),
              ElementsAre(testing::FloatNear(1, 1e-4f),
                          testing::FloatNear(0, 1e-4f),
                          testing::FloatNear(0, 1e-4f)));
  EXPECT_THAT(colour_of(filled(4, 4, 0, 0, 0), {2, 2})[0], testing::FloatNear(-1, 1e-4f));
  // CIE: sRGB red is L 53.24, a 80.09, b 67.20.
  EXPECT_THAT(colour_of(filled(4, 4, 255, 0, 0), {4, 4}),
              ElementsAre(testing::FloatNear((53.24f - 50) / 50, 1e-3f),
                          testing::FloatNear(80.09f / 127, 1e-3f),
                          testing::FloatNear(67.20f / 127, 1e-3f)));
}

// Half-pixel centres, between the two nearest rows and columns.
double between(const at::Tensor& plane, double y, double x) {
  y = std::max(y, 0.0);
  x = std::max(x, 0.0);
  const auto top = static_cast<std::int64_t>(y), left = static_cast<std::int64_t>(x);
  const auto bottom = std::min(top + 1, plane.size(0) - 1);
  const auto right = std::min(left + 1, plane.size(1) - 1);
  const double a = y - static_cast<double>(top), b = x - static_cast<double>(left);
  const auto pixel = [&](std::int64_t v, std::int64_t u) { return plane[v][u].item<double>(); };
  return (1 - a) * ((1 - b) * pixel(top, left) + b * pixel(top, right)) +
         a * ((1 - b) * pixel(bottom, left) + b * pixel(bottom, right));
}

TEST(ResizePlanes, IsBilinearForAnyNumberOfPlanes) {
  const auto planes = at::rand({15, 6, 8}, at::kDouble);
  const auto resized = resize_planes(planes, {9, 5});
  ASSERT_EQ(resized.sizes(), (std::vector<std::int64_t>{15, 9, 5}));
  for (const std::int64_t k : {0, 14})
    for (int y = 0; y < 9; ++y)
      for (int x = 0; x < 5; ++x)
        EXPECT_NEAR(resized[k][y][x].item<double>(),
                    between(planes[k], (y + 0.5) * 6 / 9 - 0.5, (x + 0.5) * 8 / 5 - 0.5),
                    1e-6);
}

TEST(ResizePlanes, LeavesPlanesOfThatSizeAlone) {
  const auto planes = at::rand({3, 4, 5}, at::kDouble);
  EXPECT_TRUE(at::equal(resize_planes(planes, {4, 5}), planes));
}

TEST(PropagationInput, IsRgbByImageNetsMeanAndDeviationWhereAskedTo) {
  const auto input = propagation_input(filled(4, 4, 255, 0, 51), {2, 2}, InputColour::kRgb);
  const auto expected = at::tensor({(1 - 0.485) / 0.229, -0.456 / 0.224, (0.2 - 0.406) / 0.225});
  EXPECT_TRUE(
      at::allclose(input, expected.to(at::kFloat).view({3, 1, 1}).expand_as(input), 0, 1e-5));
}

// One row of indices 0..n-1, resized to m.
std::vector<int> nearest_row(int n, int m) {
  LabelMap row{1, n, {}};
  row.labels.resize(n);
  std::iota(row.labels.begin(), row.labels.end(), std::uint8_t{0});
  const auto resized = resize_labels(row, {1, m});
  return {resized.labels.begin(), resized.labels.end()};
}

// Expected rows come from Pillow 13.0.0, NEAREST.
TEST(ResizeLabels, TakesThePixelsThatPillowTakes) {
  EXPECT_THAT(nearest_row(13, 5), ElementsAre(1, 3, 6, 9, 11));
  EXPECT_THAT(nearest_row(5, 13), ElementsAre(0, 0, 0, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4));
  EXPECT_THAT(nearest_row(8, 8), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_THAT(nearest_row(10, 4), ElementsAre(1, 3, 6, 8));
  EXPECT_THAT(nearest_row(240, 30)[29], 236);
}

TEST(ResizeLabels, FollowsPillowWhereACentreFallsBetweenTwoPixels) {
  // floor((2x + 1) n / (2m)) would give 1 at output 3 of 2 to 7, and 8, 24, 40 of 1280 to 560.
  EXPECT_THAT(nearest_row(2, 7), ElementsAre(0, 0, 0, 0, 1, 1, 1));
  const auto row = nearest_row(1280, 560);
  EXPECT_EQ(row[3], 7);
  EXPECT_EQ(row[10], 23);
  EXPECT_EQ(row[17], 39);
}

TEST(ResizeLabels, TreatsRowsAsColumns) {
  const LabelMap map{3, 2, {1, 2, 3, 4, 5, 6}};
  EXPECT_THAT(resize_labels(map, {6, 1}).labels, ElementsAre(2, 2, 4, 4, 6, 6));
  EXPECT_THAT(resize_labels(map, {1, 4}).labels, ElementsAre(3, 3, 4, 4));
}

}  // namespace
}  // namespace stc::data
