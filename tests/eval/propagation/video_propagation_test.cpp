#include "eval/propagation/video_propagation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "monitoring/check.h"
#include "tests/support/davis_files.h"

namespace stc::eval {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace stc::test;

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

VideoOptions small_video() {
  VideoOptions options;
  options.propagation.half_window = 4;
  return options;
}

FrameFeatures features(const data::Image& frame) {
  return FeatureExtractor(trunk(), {.short_side = 64}).extract(frame, "frame");
}

TEST(VideoPropagation, FollowsAMovingPatternEvenWithRandomWeights) {
  auto labels = label_map(64, 96);
  fill_box(labels, 16, 16, 32, 32, 1);
  VideoPropagation propagation(small_video(), features(picture(64, 96)), labels);
  // The picture moves left by one cell, so the object does.
  const auto mask = propagation.next(features(picture(64, 96, 8)).map);
  auto moved = label_map(64, 96);
  fill_box(moved, 16, 8, 32, 32, 1);
  int wrong = 0;
  for (std::size_t i = 0; i < mask.labels.size(); ++i) wrong += mask.labels[i] != moved.labels[i];
  int wrong_if_still = 0;
  for (std::size_t i = 0; i < mask.labels.size(); ++i)
    wrong_if_still += mask.labels[i] != labels.labels[i];
  EXPECT_LT(wrong, wrong_if_still);
}

TEST(VideoPropagation, ShrinksTheFirstMaskSoftlyWhereAskedTo) {
  // Object 3 covers the left half of one cell: by the nearest pixel it is the cell or nothing,
  // softly it is half of it. With a window of that cell alone the next frame repeats it.
  auto labels = label_map(64, 96);
  fill_box(labels, 16, 16, 8, 4, 3);
  auto options = small_video();
  options.propagation.half_window = 0;
  options.first_labels = FirstLabels::kBilinear;
  const auto frame = features(picture(64, 96));
  const auto at_centre = [&](bool stretch) {
    options.stretch = stretch;
    return VideoPropagation(options, frame, labels).next(frame.map).at(19, 19);
  };
  EXPECT_EQ(at_centre(true), 3);   // the best that the label has anywhere counts as 1
  EXPECT_EQ(at_centre(false), 0);  // there is more background
}

TEST(InputSize, FollowsTheRuleOfThePreset) {
  const auto size = [](const InputOptions& options, int height, int width) {
    const auto input = input_size(options, height, width);
    return std::vector<int>{input.height, input.width};
  };
  EXPECT_THAT(size({}, 960, 1708), ElementsAre(480, 854));
  EXPECT_THAT(size({.short_side = 0}, 300, 401), ElementsAre(300, 401));
  EXPECT_THAT(size({.long_side_multiple = 64}, 480, 854), ElementsAre(480, 832));
  EXPECT_THAT(size({.long_side_multiple = 64}, 854, 480), ElementsAre(832, 480));
  EXPECT_THAT(size({.short_side = 30, .long_side_multiple = 64}, 40, 50), ElementsAre(30, 64));
}

TEST(VideoPropagation, NamesObjectsThatVanishAtFeatureSize) {
  auto labels = label_map(64, 96);
  fill_box(labels, 16, 16, 32, 32, 1);
  fill_box(labels, 0, 0, 2, 2, 7);
  const VideoPropagation propagation(small_video(), features(picture(64, 96)), labels);
  EXPECT_THAT(propagation.lost_objects(), ElementsAre(7));
}

TEST(VideoPropagation, GivesTheFirstMaskBackAtTheFramesSize) {
  auto labels = label_map(64, 96);
  fill_box(labels, 16, 16, 32, 32, 3);
  VideoPropagation same(small_video(), features(picture(64, 96)), labels);
  EXPECT_EQ(same.first_mask().labels, labels.labels);
  auto twice = label_map(128, 192);
  fill_box(twice, 32, 32, 64, 64, 3);
  VideoPropagation halved(small_video(), features(picture(128, 192)), twice);
  EXPECT_EQ(halved.first_mask().labels, twice.labels);
}

TEST(VideoPropagation, TakesASquareInputWhateverTheRatio) {
  const auto first =
      FeatureExtractor(trunk(), {.square_side = 32}).extract(picture(64, 96), "frame");
  EXPECT_EQ(first.input_size.height, 32);
  EXPECT_EQ(first.input_size.width, 32);
  EXPECT_EQ(first.map.size(2), 4);

  // Columns are labelled by number; the input takes the middle one of each three, and gives it back
  // to all three.
  auto labels = label_map(64, 96);
  for (int x = 0; x < 96; ++x) fill_box(labels, 0, x, 64, 1, static_cast<std::uint8_t>(x));
  const VideoPropagation propagation(small_video(), first, labels);
  const auto mask = propagation.first_mask();
  EXPECT_EQ(mask.height, 64);
  for (int x = 0; x < 96; ++x) EXPECT_EQ(mask.at(5, x), x / 3 * 3 + 1);
  // Then the features take one input column of each eight: the fifth.
  std::vector<int> kept;
  const auto& lost = propagation.lost_objects();
  for (int label = 1; label < 96; ++label)
    if (std::find(lost.begin(), lost.end(), label) == lost.end()) kept.push_back(label);
  EXPECT_THAT(kept, ElementsAre(4 * 3 + 1, 12 * 3 + 1, 20 * 3 + 1, 28 * 3 + 1));
}

TEST(VideoPropagation, NamesTheMaskOfAnotherSize) {
  try {
    check_mask_size(label_map(64, 95), "mask.png", picture(64, 96));
    FAIL() << "a mask of another size was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("mask.png: the mask is 95x64, the first frame 96x64"));
  }
}

TEST(FeatureExtractor, NamesTheFrameOfAnotherSize) {
  FeatureExtractor extractor(trunk(), {.short_side = 64});
  extractor.extract(picture(64, 96), "0.png");
  try {
    extractor.extract(picture(64, 104), "1.png");
    FAIL() << "a frame of another size was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("1.png: is 104x64; expected the first frame's 96x64"));
  }
}

TEST(ResolveVoid, Reads255AsTheObjectOfABinaryMask) {
  auto mask = label_map(4, 4);
  fill_box(mask, 0, 0, 2, 2, 255);
  const auto [labels, note] = resolve_void(mask);
  EXPECT_THAT(note, HasSubstr("object 1"));
  EXPECT_EQ(labels.at(0, 0), 1);
  EXPECT_EQ(labels.at(3, 3), 0);
}

TEST(ResolveVoid, Reads255AsBackgroundBesideOtherLabels) {
  auto mask = label_map(4, 4, 2);
  fill_box(mask, 0, 0, 2, 2, 255);
  const auto [labels, note] = resolve_void(mask);
  EXPECT_THAT(note, HasSubstr("background"));
  EXPECT_EQ(labels.at(0, 0), 0);
  EXPECT_EQ(labels.at(3, 3), 2);
}

TEST(ResolveVoid, LeavesOrdinaryLabelsAlone) {
  const auto [labels, note] = resolve_void(label_map(4, 4, 2));
  EXPECT_EQ(note, "");
  EXPECT_EQ(labels.at(1, 1), 2);
}

}  // namespace
}  // namespace stc::eval
