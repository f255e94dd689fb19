#include "eval/drawing/overlay.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <array>

#include "data/benchmarks/jhmdb.h"
#include "monitoring/check.h"

namespace stc::eval {
namespace {

using Color = std::array<int, 3>;

const data::Image kGrey{60, 80, std::vector<std::uint8_t>(60 * 80 * 3, 100)};

Color pixel(const data::Image& image, int y, int x) {
  const auto* p = image.pixels.data() + (static_cast<std::size_t>(y) * image.width + x) * 3;
  return {p[0], p[1], p[2]};
}

at::Tensor nowhere() { return at::full({data::kJointCount, 2}, -1, at::kDouble); }

void put(const at::Tensor& points, int joint, double x, double y) {
  points[joint][0] = x;
  points[joint][1] = y;
}

TEST(PoseOverlay, DrawsRightAndLeftInColoursOfTheirOwn) {
  const auto points = nowhere();
  put(points, 11, 20, 30);  // right wrist
  put(points, 12, 60, 30);  // left wrist
  const auto drawn = pose_overlay(kGrey, points);
  EXPECT_EQ(pixel(drawn, 30, 20), (Color{255, 150, 30}));
  EXPECT_EQ(pixel(drawn, 30, 60), (Color{60, 150, 255}));
  EXPECT_EQ(pixel(drawn, 30, 40), (Color{100, 100, 100}));
  EXPECT_EQ(pixel(drawn, 36, 20), (Color{100, 100, 100}));
}

TEST(PoseOverlay, ConnectsAJointWithItsParentWhereBothWereFound) {
  const auto points = nowhere();
  put(points, 7, 20, 10);   // right elbow
  put(points, 11, 20, 40);  // right wrist, hangs on it
  EXPECT_EQ(pixel(pose_overlay(kGrey, points), 25, 20), (Color{255, 150, 30}));
  put(points, 7, -1, -1);
  EXPECT_EQ(pixel(pose_overlay(kGrey, points), 25, 20), (Color{100, 100, 100}));
}

TEST(PoseOverlay, StaysWithinTheImage) {
  const auto points = nowhere();
  put(points, 0, 0, 0);
  put(points, 1, 500, 1e9);
  EXPECT_EQ(pixel(pose_overlay(kGrey, points), 0, 0), (Color{80, 230, 80}));
}

TEST(PoseOverlay, LeavesTheImageAloneWhereNothingWasFound) {
  EXPECT_EQ(pose_overlay(kGrey, nowhere()).pixels, kGrey.pixels);
  EXPECT_THROW(pose_overlay(kGrey, at::zeros({14, 2}, at::kDouble)), Error);
}

}  // namespace
}  // namespace stc::eval
