#include "data/benchmarks/vip.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "monitoring/check.h"
#include "tests/support/davis_files.h"
#include "tests/support/temporary_folder.h"

namespace stc::data {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
namespace fs = std::filesystem;
using namespace stc::test;

class OpenVip : public testing::Test {
 protected:
  void write_sequence(const std::string& name, int frames, const std::string& masks) {
    for (int frame = 0; frame < frames; ++frame) {
      write_mask(root_ / masks / name, frame, label_map(2, 2, 1));
      const auto image = fs::path(mask_path(root_ / "Images" / name, frame));
      write_text_file(fs::path(image).replace_extension(".jpg"), "never decoded here");
    }
  }
  std::vector<std::string> names(const VipOptions& options = {}) {
    std::vector<std::string> found;
    for (const auto& sequence : open_vip(root_.string(), options)) found.push_back(sequence.name);
    return found;
  }
  std::string error(const VipOptions& options = {}) {
    try {
      open_vip(root_.string(), options);
    } catch (const Error& thrown) {
      EXPECT_EQ(thrown.exit(), Exit::kBadData);
      return thrown.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
  fs::path root_ = fs::path(folder_.path()) / "VIP_Fine";
};

TEST_F(OpenVip, FindsTheMasksInAnyOfThreePlaces) {
  for (const char* masks : {"Category_ids", "Annotations/Category_ids", "Annotations"}) {
    fs::remove_all(root_);
    write_sequence("videos7", 2, masks);
    const auto sequences = open_vip(root_.string(), {});
    ASSERT_EQ(sequences.size(), 1U);
    EXPECT_EQ(sequences[0].name, "videos7");
    EXPECT_THAT(sequences[0].images,
                ElementsAre(EndsWith("Images/videos7/00000.jpg"), EndsWith("00001.jpg")));
    EXPECT_THAT(
        sequences[0].annotations,
        ElementsAre(EndsWith(std::string(masks) + "/videos7/00000.png"), EndsWith("00001.png")));
  }
}

TEST_F(OpenVip, TakesTheSequencesOfTheSplitElseOfValElseAll) {
  for (const char* name : {"videos2", "videos10", "videos3"})
    write_sequence(name, 2, "Category_ids");
  EXPECT_THAT(names(), ElementsAre("videos2", "videos3", "videos10"));
  write_text_file(root_ / "lists/val_videos.txt", "videos10\r\nvideos2\n");
  EXPECT_THAT(names(), ElementsAre("videos10", "videos2"));
  write_text_file(root_ / "split.txt", "videos3\n");
  EXPECT_THAT(names({.split = (root_ / "split.txt").string()}), ElementsAre("videos3"));
}

TEST_F(OpenVip, TakesTheFolderThatHoldsTheRootAndItsList) {
  write_sequence("videos2", 2, "Category_ids");
  write_sequence("videos3", 2, "Category_ids");
  write_text_file(fs::path(folder_.path()) / "lists/val_videos.txt", "videos3\n");
  const auto sequences = open_vip(folder_.path(), {});
  ASSERT_EQ(sequences.size(), 1U);
  EXPECT_EQ(sequences[0].name, "videos3");
}

TEST_F(OpenVip, KeepsAFaultySequenceWhereAskedTo) {
  for (const char* name : {"videos2", "videos3"}) write_sequence(name, 2, "Category_ids");
  fs::remove(mask_path(root_ / "Category_ids/videos2", 1));
  const auto sequences = open_vip(root_.string(), {.split = "", .keep_faulty = true});
  ASSERT_EQ(sequences.size(), 2U);
  EXPECT_THAT(sequences[0].fault, HasSubstr("'videos2': 2 images"));
  EXPECT_EQ(sequences[1].fault, "");
}

TEST_F(OpenVip, TakesABareFolderOfMasksForScoring) {
  write_mask(root_ / "videos2", 0, label_map(2, 2));
  const auto sequences = open_vip(root_.string(), {.split = "", .need_images = false});
  ASSERT_EQ(sequences.size(), 1U);
  EXPECT_TRUE(sequences[0].images.empty());
  EXPECT_EQ(sequences[0].annotations.size(), 1U);
}

TEST_F(OpenVip, NamesWhatIsMissing) {
  EXPECT_THAT(error(), HasSubstr("VIP_Fine: no such folder"));
  fs::create_directories(root_ / "Images");
  EXPECT_THAT(error(), HasSubstr("is not a VIP root"));
  write_sequence("videos2", 3, "Category_ids");
  fs::remove(mask_path(root_ / "Category_ids/videos2", 1));
  EXPECT_THAT(error(),
              testing::AllOf(HasSubstr("Images/videos2/00001.jpg: has no annotation"),
                             HasSubstr("Category_ids/videos2/00001.png")));
  fs::remove(mask_path(root_ / "Category_ids/videos2", 2));
  EXPECT_THAT(error(), HasSubstr("'videos2': 3 images"));
  write_text_file(root_ / "lists/val_videos.txt", "videos9\n");
  EXPECT_THAT(error(), HasSubstr("Category_ids/videos9: no such folder"));
}

class ReadPartLabels : public testing::Test {
 protected:
  std::string error() {
    try {
      read_part_labels(path_);
    } catch (const Error& thrown) {
      EXPECT_EQ(thrown.exit(), Exit::kBadData);
      return thrown.what();
    }
    return "no error";
  }
  TemporaryFolder folder_;
  std::string path_ = folder_ / "mask.png";
};

TEST_F(ReadPartLabels, TakesTwentyPartsAndTheIgnored) {
  auto map = label_map(3, 4, 19);
  map.labels[5] = 255;
  map.labels[6] = 0;
  write_label_png(path_, map);
  EXPECT_EQ(read_part_labels(path_).labels, map.labels);
}

TEST_F(ReadPartLabels, NamesALabelThatIsNoPart) {
  write_label_png(path_, label_map(3, 4, 20));
  EXPECT_THAT(error(), HasSubstr("mask.png: holds label 20; expected parts 0 to 19"));
}

TEST_F(ReadPartLabels, RefusesRgb) {
  write_png(path_, {2, 2, std::vector<std::uint8_t>(12, 1)});
  EXPECT_THAT(error(), HasSubstr("mask.png: is an 8-bit RGB PNG"));
}

}  // namespace
}  // namespace stc::data
