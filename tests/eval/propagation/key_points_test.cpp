#include "eval/propagation/label_maps.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "tests/eval/golden_cases.h"

namespace stc::eval {
namespace {

using stc::test::golden_cases;
using stc::test::largest_difference;

at::Tensor drawn(double x, double y, int height = 60, int width = 80) {
  return draw_heat_maps(at::tensor({x, y}, at::kDouble).view({1, 2}), {height, width})[0];
}

// Row and column of the highest pixel.
std::pair<std::int64_t, std::int64_t> centre(const at::Tensor& map) {
  const auto pixel = map.argmax().item<std::int64_t>();
  return {pixel / map.size(1), pixel % map.size(1)};
}

TEST(DrawHeatMaps, CutsTheCornerTowardZero) {
  using Pixel = std::pair<std::int64_t, std::int64_t>;
  EXPECT_EQ(centre(drawn(30.9, 25.2)), Pixel(25, 30));
  EXPECT_EQ(centre(drawn(12.0, 12.0)), Pixel(12, 12));
  EXPECT_EQ(centre(drawn(11.1, 4.7)), Pixel(5, 12));
  EXPECT_EQ(centre(drawn(7.0, 7.0)), Pixel(7, 7));
}

TEST(DrawHeatMaps, IsAGaussianWithin25PixelsAndNothingBeyond) {
  const auto map = drawn(40.5, 30);
  EXPECT_EQ(map[30][40].item<double>(), 1);
  EXPECT_DOUBLE_EQ(map[30][44].item<double>(), std::exp(-0.5));
  EXPECT_DOUBLE_EQ(map[33][36].item<double>(), std::exp(-25.0 / 32));
  EXPECT_GT(map[18][28].item<double>(), 0);
  EXPECT_GT(map[42][52].item<double>(), 0);
  EXPECT_EQ(map[30][53].item<double>(), 0);
  EXPECT_EQ(map[30][27].item<double>(), 0);
  EXPECT_EQ(map.count_nonzero().item<std::int64_t>(), 25 * 25);
}

TEST(DrawHeatMaps, LosesARowAndAColumnNearTheUpperLeftEdge) {
  // From trunc(4.7 - 12) = -7 to trunc(4.7 + 13) = 17, which is one short of -7 + 25.
  EXPECT_EQ(drawn(4.7, 30).count_nonzero().item<std::int64_t>(), 17 * 25);
}

TEST(DrawHeatMaps, LeavesAPointEmptyWhoseWindowMissesTheFrame) {
  for (const auto& [x, y] : {std::pair{-14.0, 30.0},
                             {92.0, 30.0},
                             {40.0, -14.0},
                             {40.0, 72.0},
                             {1e300, 30.0},
                             {40.0, -1e300}})
    EXPECT_EQ(drawn(x, y).count_nonzero().item<std::int64_t>(), 0) << x << ", " << y;
  EXPECT_GT(drawn(91.9, 30).count_nonzero().item<std::int64_t>(), 0);
}

TEST(DrawHeatMaps, EqualsTheStoredCases) {
  for (const auto& path : golden_cases("pose_seed")) {
    const auto golden = data::read_safetensors(path).tensors;
    const auto& expected = golden.at("drawn");
    const auto maps =
        draw_heat_maps(golden.at("points"),
                       {static_cast<int>(expected.size(1)), static_cast<int>(expected.size(2))});
    EXPECT_LT(largest_difference(maps, expected), 1e-15) << path;
  }
}

// The slow, obvious twin: all pixels sorted.
std::vector<double> located_by_sorting(const at::Tensor& map) {
  std::vector<std::pair<double, std::int64_t>> pixels;
  for (std::int64_t i = 0; i < map.numel(); ++i)
    pixels.push_back({map.flatten()[i].item<double>(), i});
  std::stable_sort(
      pixels.begin(), pixels.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  double sum = 0, x = 0, y = 0;
  for (int i = 0; i < 5; ++i) {
    sum += pixels[i].first;
    const auto row = pixels[i].second / map.size(1), column = pixels[i].second % map.size(1);
    x += pixels[i].first * static_cast<double>(column);
    y += pixels[i].first * static_cast<double>(row);
  }
  return {x / sum, y / sum};
}

TEST(LocateKeyPoints, IsTheMeanOfTheFiveHighestPixelsAlsoWhereSomeAreEqual) {
  at::manual_seed(3);
  // Values of few levels: the fifth place is shared by many.
  const auto maps = at::randint(1, 4, {6, 7, 9}, at::kDouble);
  const auto points = locate_key_points(maps);
  for (int joint = 0; joint < 6; ++joint) {
    const auto expected = located_by_sorting(maps[joint]);
    EXPECT_NEAR(points[joint][0].item<double>(), expected[0], 1e-12);
    EXPECT_NEAR(points[joint][1].item<double>(), expected[1], 1e-12);
  }
}

TEST(LocateKeyPoints, FindsTheCentreThatWasDrawn) {
  const auto points = locate_key_points(drawn(40, 30).unsqueeze(0).to(at::kFloat));
  EXPECT_NEAR(points[0][0].item<double>(), 40, 1e-5);
  EXPECT_NEAR(points[0][1].item<double>(), 30, 1e-5);
}

TEST(LocateKeyPoints, IsMinusOneWhereTheMapIsZero) {
  const auto maps = at::stack({at::zeros({4, 5}), at::ones({4, 5})});
  const auto points = locate_key_points(maps);
  EXPECT_TRUE(at::equal(points[0], at::tensor({-1, -1}, at::kDouble)));
  EXPECT_TRUE(at::allclose(points[1], at::tensor({2, 0}, at::kDouble)));
}

TEST(LocateKeyPoints, EqualsTheStoredCases) {
  for (const auto& path : golden_cases("pose_seed")) {
    const auto golden = data::read_safetensors(path).tensors;
    EXPECT_LT(largest_difference(locate_key_points(golden.at("maps")), golden.at("located")), 1e-12)
        << path;
  }
}

}  // namespace
}  // namespace stc::eval
