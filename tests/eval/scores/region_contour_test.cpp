#include "eval/scores/region_contour.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <utility>
#include <vector>

namespace stc::eval {
namespace {

using data::LabelMap;

LabelMap empty_map(int height, int width) {
  return {height, width, std::vector<std::uint8_t>(static_cast<std::size_t>(height) * width, 0)};
}

void set(LabelMap& map, int y, int x, std::uint8_t label) {
  map.labels[static_cast<std::size_t>(y) * map.width + x] = label;
}

void fill(LabelMap& map, int top, int left, int height, int width, std::uint8_t label) {
  for (int y = top; y < top + height; ++y) {
    for (int x = left; x < left + width; ++x) set(map, y, x, label);
  }
}

// The slow twin: masks of bool, the rules word for word, every offset of the disk tried at every
// pixel.
struct Slow {
  int height, width;
  std::vector<char> on;

  Slow(const LabelMap& map, int label) : Slow(map.height, map.width) {
    for (std::size_t i = 0; i < on.size(); ++i) on[i] = map.labels[i] == label;
  }
  Slow(int h, int w) : height(h), width(w), on(static_cast<std::size_t>(h) * w, 0) {}
  char& at(int y, int x) { return on[static_cast<std::size_t>(y) * width + x]; }
  bool at(int y, int x) const { return on[static_cast<std::size_t>(y) * width + x] != 0; }
  int count() const {
    int n = 0;
    for (const char c : on) n += c;
    return n;
  }
};

Slow slow_boundary(const Slow& m) {
  Slow b(m.height, m.width);
  for (int y = 0; y < m.height; ++y) {
    for (int x = 0; x < m.width; ++x) {
      const bool last_row = y == m.height - 1;
      const bool last_column = x == m.width - 1;
      const bool here = m.at(y, x);
      bool differs = false;
      if (!last_column) differs |= here != m.at(y, x + 1);
      if (!last_row) differs |= here != m.at(y + 1, x);
      if (!last_row && !last_column) differs |= here != m.at(y + 1, x + 1);
      b.at(y, x) = differs;
    }
  }
  return b;
}

Slow slow_dilation(const Slow& m, int radius) {
  Slow out(m.height, m.width);
  for (int y = 0; y < m.height; ++y) {
    for (int x = 0; x < m.width; ++x) {
      for (int dy = -radius; dy <= radius; ++dy) {
        for (int dx = -radius; dx <= radius; ++dx) {
          const int v = y + dy;
          const int u = x + dx;
          if (dy * dy + dx * dx > radius * radius) continue;
          if (v < 0 || v >= m.height || u < 0 || u >= m.width) continue;
          if (m.at(v, u)) out.at(y, x) = 1;
        }
      }
    }
  }
  return out;
}

int slow_common(const Slow& a, const Slow& b) {
  int n = 0;
  for (std::size_t i = 0; i < a.on.size(); ++i) n += a.on[i] != 0 && b.on[i] != 0;
  return n;
}

RegionContour slow_scores(const Slow& truth, const Slow& prediction) {
  RegionContour scores;
  const int both = slow_common(truth, prediction);
  const int either = truth.count() + prediction.count() - both;
  scores.j = either == 0 ? 1.0 : static_cast<double>(both) / either;

  const int radius = contour_tolerance(truth.height, truth.width);
  const Slow bt = slow_boundary(truth);
  const Slow bp = slow_boundary(prediction);
  double precision = 1;
  double recall = 1;
  if (bp.count() == 0 && bt.count() > 0) recall = 0;
  if (bt.count() == 0 && bp.count() > 0) precision = 0;
  if (bt.count() > 0 && bp.count() > 0) {
    precision = static_cast<double>(slow_common(bp, slow_dilation(bt, radius))) / bp.count();
    recall = static_cast<double>(slow_common(bt, slow_dilation(bp, radius))) / bt.count();
  }
  scores.f = precision + recall == 0 ? 0 : 2 * precision * recall / (precision + recall);
  return scores;
}

LabelMap random_boxes(std::mt19937& random, int height, int width, int labels) {
  LabelMap map = empty_map(height, width);
  for (int i = 0; i < 6; ++i) {
    const int y = static_cast<int>(random() % height);
    const int x = static_cast<int>(random() % width);
    const int h = 1 + static_cast<int>(random() % (height - y));
    const int w = 1 + static_cast<int>(random() % (width - x));
    fill(map, y, x, h, w, static_cast<std::uint8_t>(random() % (labels + 1)));
  }
  return map;
}

LabelMap random_noise(std::mt19937& random, int height, int width, int labels) {
  LabelMap map = empty_map(height, width);
  for (auto& label : map.labels) label = static_cast<std::uint8_t>(random() % (labels + 1));
  return map;
}

void expect_as_slow(const LabelMap& truth, const LabelMap& prediction, int objects) {
  const auto scores = region_and_contour(truth, prediction, objects);
  ASSERT_EQ(static_cast<int>(scores.size()), objects);
  for (int object = 1; object <= objects; ++object) {
    const auto expected = slow_scores(Slow(truth, object), Slow(prediction, object));
    EXPECT_EQ(scores[object - 1].j, expected.j) << "object " << object;
    EXPECT_EQ(scores[object - 1].f, expected.f) << "object " << object;
  }
}

class RegionContourOfSize : public testing::TestWithParam<std::pair<int, int>> {};

TEST_P(RegionContourOfSize, EqualsTheSlowTwinBitForBit) {
  const auto [height, width] = GetParam();
  std::mt19937 random(static_cast<unsigned>(1000 * height + width));
  for (int round = 0; round < 12; ++round) {
    expect_as_slow(
        random_boxes(random, height, width, 3), random_boxes(random, height, width, 3), 4);
    expect_as_slow(
        random_noise(random, height, width, 2), random_boxes(random, height, width, 2), 2);
  }
}

// Words of 64 bits end inside, at and beyond these widths; radii from 1 to 3.
INSTANTIATE_TEST_SUITE_P(Sizes,
                         RegionContourOfSize,
                         testing::Values(std::pair(1, 1),
                                         std::pair(1, 9),
                                         std::pair(9, 1),
                                         std::pair(2, 2),
                                         std::pair(3, 2),
                                         std::pair(31, 63),
                                         std::pair(17, 64),
                                         std::pair(64, 65),
                                         std::pair(100, 75),
                                         std::pair(61, 37),
                                         std::pair(90, 257)));

TEST(RegionContour, AgreesWithTheSlowTwinAtTheSizeAndRadiusOfDavis) {
  std::mt19937 random(5);
  expect_as_slow(random_boxes(random, 240, 428, 2), random_boxes(random, 240, 428, 2), 2);
  expect_as_slow(random_boxes(random, 480, 854, 1), random_boxes(random, 480, 854, 1), 1);
}

TEST(ContourTolerance, IsTheOfficialNumberForKnownSizes) {
  EXPECT_EQ(contour_tolerance(480, 854), 8);
  EXPECT_EQ(contour_tolerance(480, 910), 9);
  EXPECT_EQ(contour_tolerance(480, 1152), 10);
  EXPECT_EQ(contour_tolerance(240, 320), 4);
  EXPECT_EQ(contour_tolerance(720, 1280), 12);
  EXPECT_EQ(contour_tolerance(1080, 1920), 18);
  EXPECT_EQ(contour_tolerance(100, 75), 1);  // 0.008 * 125 is exactly 1
}

TEST(RegionContour, IsOneForEqualMasksAndForAnObjectThatIsInNeither) {
  LabelMap map = empty_map(40, 50);
  fill(map, 5, 5, 20, 20, 1);
  const auto scores = region_and_contour(map, map, 2);
  EXPECT_EQ(scores[0].j, 1);
  EXPECT_EQ(scores[0].f, 1);
  EXPECT_EQ(scores[1].j, 1);
  EXPECT_EQ(scores[1].f, 1);
}

TEST(RegionContour, IsZeroForAFalseAlarmAndForAMiss) {
  const LabelMap nothing = empty_map(40, 50);
  LabelMap map = nothing;
  fill(map, 5, 5, 20, 20, 1);
  for (const auto& scores :
       {region_and_contour(nothing, map, 1), region_and_contour(map, nothing, 1)}) {
    EXPECT_EQ(scores[0].j, 0);
    EXPECT_EQ(scores[0].f, 0);
  }
}

TEST(RegionContour, FindsNoContourInAMaskThatFillsTheFrame) {
  LabelMap full = empty_map(40, 60);
  fill(full, 0, 0, 40, 60, 1);
  LabelMap with_hole = full;
  fill(with_hole, 10, 10, 2, 2, 0);
  EXPECT_EQ(region_and_contour(full, full, 1)[0].f, 1);
  EXPECT_EQ(region_and_contour(full, with_hole, 1)[0].f, 0);
  EXPECT_GT(region_and_contour(full, with_hole, 1)[0].j, 0.99);
}

TEST(RegionContour, MatchesContoursUpToTheToleranceAndNotBeyond) {
  // Vertical half-planes: each contour is one straight line; at 240x320 four pixels of shift still
  // match.
  LabelMap truth = empty_map(240, 320);
  fill(truth, 0, 0, 240, 100, 1);
  for (const auto& [shift, expected] : {std::pair(4, 1.0), std::pair(5, 0.0)}) {
    LabelMap prediction = empty_map(240, 320);
    fill(prediction, 0, 0, 240, 100 + shift, 1);
    EXPECT_EQ(region_and_contour(truth, prediction, 1)[0].f, expected) << shift;
  }
}

TEST(RegionContour, ReadsLabelsAboveTheObjectCountAsBackground) {
  LabelMap truth = empty_map(20, 20);
  fill(truth, 2, 2, 6, 6, 1);
  LabelMap prediction = truth;
  fill(prediction, 12, 12, 6, 6, 9);
  EXPECT_EQ(region_and_contour(truth, prediction, 1)[0].j, 1);
  EXPECT_EQ(region_and_contour(truth, prediction, 1)[0].f, 1);
}

}  // namespace
}  // namespace stc::eval
