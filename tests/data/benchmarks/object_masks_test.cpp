#include "data/benchmarks/object_masks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "monitoring/check.h"
#include "tests/support/davis_files.h"
#include "tests/support/temporary_folder.h"

namespace stc::data {
namespace {

using testing::HasSubstr;
using namespace stc::test;

class ReadObjectMask : public testing::Test {
 protected:
  std::string error(const LabelMap& map) {
    write_label_png(path_, map);
    try {
      EXPECT_EQ(read_object_mask(path_).labels, map.labels);
      MeaningOf255 meaning;
      meaning.add(path_, map);
      meaning.kind();
    } catch (const Error& thrown) {
      EXPECT_EQ(thrown.exit(), Exit::kBadData);
      return thrown.what();
    }
    return "";
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "mask.png";
};

LabelMap disc() { return soft_disc(48, 1); }

TEST_F(ReadObjectMask, RefusesSoftEdgesOfAnyWidth) {
  for (const int levels : {2, 3, 5, 17, 51})
    EXPECT_THAT(error(soft_disc(96, levels)), HasSubstr("mask.png: has soft edges")) << levels;
}

TEST_F(ReadObjectMask, RefusesStrayPixelsBesideAnObjectOf255) {
  for (const int at : {49, 24 * 48 + 24}) {  // in the background, in the object
    for (const int label : {1, 85, 254}) {
      auto map = disc();
      map.labels[at] = static_cast<std::uint8_t>(label);
      EXPECT_THAT(error(map), HasSubstr("1 stray pixel(s) of label")) << at << " " << label;
    }
  }
}

TEST_F(ReadObjectMask, TakesHardMasks) {
  EXPECT_EQ(error(disc()), "");
  auto map = label_map(48, 48);  // three objects, one within another, and void around one
  fill_box(map, 1, 1, 20, 20, 255);
  fill_box(map, 3, 3, 16, 16, 1);
  fill_box(map, 24, 4, 20, 20, 2);
  fill_box(map, 28, 8, 10, 10, 3);
  EXPECT_EQ(error(map), "");
  std::mt19937 random(1);
  for (auto& label : map.labels) label = static_cast<std::uint8_t>(random() % 7);
  EXPECT_EQ(error(map), "") << "noise";
}

TEST_F(ReadObjectMask, TakesTinyObjects) {
  auto map = label_map(48, 48);
  for (int label = 1; label < 20; ++label)
    map.labels[label * 97] = static_cast<std::uint8_t>(label);
  EXPECT_EQ(error(map), "");
}

TEST(MeaningOf255, IsAskedOverAllMasksOfASequence) {
  using Kind = MeaningOf255::Kind;
  MeaningOf255 meaning;
  EXPECT_EQ(meaning.kind(), Kind::kAbsent);
  meaning.add("0.png", disc());
  EXPECT_EQ(meaning.kind(), Kind::kObject);
  auto map = disc();
  map.labels[0] = 3;
  meaning.add("1.png", map);
  EXPECT_THROW(meaning.kind(), Error);
  EXPECT_FALSE(meaning.is_settled());
  fill_box(map, 0, 0, 4, 4, 3);  // no stray pixel: the object of the sequence
  meaning.add("2.png", map);
  EXPECT_TRUE(meaning.is_settled());
  EXPECT_EQ(meaning.kind(), Kind::kVoid);
}

}  // namespace
}  // namespace stc::data
