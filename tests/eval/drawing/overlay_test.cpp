#include "eval/drawing/overlay.h"

#include <gtest/gtest.h>

#include "monitoring/check.h"
#include "tests/support/davis_files.h"

namespace stc::eval {
namespace {

using namespace stc::test;

data::Image plain(int height, int width, std::uint8_t value) {
  return {height,
          width,
          std::vector<std::uint8_t>(static_cast<std::size_t>(height) * width * 3, value)};
}

std::uint8_t red(const data::Image& image, int y, int x) {
  return image.pixels[(static_cast<std::size_t>(y) * image.width + x) * 3];
}

TEST(Overlay, BlendsInsideDrawsTheOutlineInFullAndLeavesTheBackground) {
  auto labels = label_map(7, 7);
  fill_box(labels, 1, 1, 5, 5, 1);  // label 1 is (128, 0, 0), brightened (255, 0, 0)
  const auto picture = overlay(plain(7, 7, 200), labels, 0.5);
  EXPECT_EQ(red(picture, 0, 0), 200);
  EXPECT_EQ(red(picture, 1, 1), 255);
  EXPECT_EQ(red(picture, 3, 3), 228);
  EXPECT_EQ(picture.pixels[(3 * 7 + 3) * 3 + 1], 100);
}

TEST(Overlay, RefusesLabelsOfAnotherSize) {
  EXPECT_THROW(overlay(plain(7, 7, 0), label_map(7, 8)), Error);
}

TEST(Shrink, AveragesPixelsAndKeepsTheRatio) {
  auto image = plain(4, 8, 10);
  image.pixels[0] = 50;
  const auto small = shrink(image, 2);
  EXPECT_EQ(small.height, 2);
  EXPECT_EQ(small.width, 4);
  EXPECT_EQ(red(small, 0, 0), 20);
  EXPECT_EQ(red(small, 1, 3), 10);
  EXPECT_EQ(shrink(image, 9).pixels, image.pixels);
}

TEST(ContactSheet, PutsEachPictureIntoItsCell) {
  const auto sheet = contact_sheet({{plain(2, 3, 1), plain(2, 3, 2)}, {plain(2, 4, 3)}}, 1);
  EXPECT_EQ(sheet.height, 5);
  EXPECT_EQ(sheet.width, 7);
  EXPECT_EQ(red(sheet, 0, 0), 1);
  EXPECT_EQ(red(sheet, 0, 3), 255);
  EXPECT_EQ(red(sheet, 1, 4), 2);
  EXPECT_EQ(red(sheet, 2, 0), 255);
  EXPECT_EQ(red(sheet, 3, 3), 3);
  EXPECT_EQ(red(sheet, 4, 4), 255);
}

}  // namespace
}  // namespace stc::eval
