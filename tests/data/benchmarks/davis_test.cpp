#include "data/benchmarks/davis.h"

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

class OpenDavis : public testing::Test {
 protected:
  /// Frames 0 .. frames - 1; `level` is "480p" or "".
  void write_sequence(const std::string& name, int frames, const std::string& level) {
    for (int frame = 0; frame < frames; ++frame) {
      write_mask(root_ / "Annotations" / level / name, frame, label_map(2, 2, 1));
      const auto image = fs::path(mask_path(root_ / "JPEGImages" / level / name, frame));
      write_text_file(fs::path(image).replace_extension(".jpg"), "never decoded here");
    }
  }
  std::vector<std::string> names(const DavisOptions& options = {}) {
    std::vector<std::string> found;
    for (const auto& sequence : open_davis(root_.string(), options)) found.push_back(sequence.name);
    return found;
  }
  std::string error(const DavisOptions& options = {}) {
    try {
      open_davis(root_.string(), options);
    } catch (const Error& thrown) {
      EXPECT_EQ(thrown.exit(), Exit::kBadData);
      return thrown.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
  fs::path root_ = fs::path(folder_.path()) / "DAVIS";
};

TEST_F(OpenDavis, TakesTreesWithAndWithoutTheResolutionsLevel) {
  for (const char* level : {"480p", ""}) {
    fs::remove_all(root_);
    write_sequence("bear", 3, level);
    const auto sequences = open_davis(root_.string(), {});
    ASSERT_EQ(sequences.size(), 1U);
    EXPECT_EQ(sequences[0].name, "bear");
    EXPECT_THAT(
        sequences[0].images,
        ElementsAre(EndsWith("bear/00000.jpg"), EndsWith("00001.jpg"), EndsWith("00002.jpg")));
    EXPECT_EQ(sequences[0].annotations.size(), 3U);
  }
}

TEST_F(OpenDavis, TakesTheSequencesOfTheSplitElseOfValElseAll) {
  for (const char* name : {"bear", "camel", "dog"}) write_sequence(name, 2, "480p");
  EXPECT_THAT(names(), ElementsAre("bear", "camel", "dog"));
  write_text_file(root_ / "ImageSets/2017/val.txt", "dog\r\nbear\n\n");
  EXPECT_THAT(names(), ElementsAre("dog", "bear"));
  const auto split = fs::path(folder_.path()) / "split.txt";
  write_text_file(split, "camel\n");
  EXPECT_THAT(names({.split = split.string(), .need_images = true}), ElementsAre("camel"));
}

TEST_F(OpenDavis, TakesABareFolderOfMasksForScoringAndIgnoresOtherFiles) {
  write_mask(root_ / "bear", 0, label_map(2, 2));
  write_text_file(root_ / "bear/notes.txt", "");
  write_text_file(root_ / "global_results.csv", "");
  fs::create_directories(root_ / "log");
  const auto sequences = open_davis(root_.string(), {.split = "", .need_images = false});
  ASSERT_EQ(sequences.size(), 1U);
  EXPECT_EQ(sequences[0].annotations.size(), 1U);
  EXPECT_TRUE(sequences[0].images.empty());
}

TEST_F(OpenDavis, NamesWhatIsMissing) {
  EXPECT_THAT(error(), HasSubstr("DAVIS: no such folder"));
  fs::create_directories(root_ / "Annotations");
  EXPECT_THAT(error(), HasSubstr("JPEGImages"));
  fs::create_directories(root_ / "JPEGImages");
  EXPECT_THAT(error(), HasSubstr("holds no sequence"));
  write_sequence("bear", 2, "");
  write_text_file(root_ / "ImageSets/2017/val.txt", "bear\ncamel\n");
  EXPECT_THAT(error(), HasSubstr("Annotations/camel: no such folder"));
  EXPECT_THAT(error({.split = "/no/such/split.txt", .need_images = true}),
              HasSubstr("/no/such/split.txt"));
}

TEST_F(OpenDavis, RefusesASplitThatListsNothingOrASequenceTwice) {
  write_sequence("bear", 2, "");
  write_text_file(root_ / "ImageSets/2017/val.txt", "\n");
  EXPECT_THAT(error(), HasSubstr("lists no sequence"));
  write_text_file(root_ / "ImageSets/2017/val.txt", "bear\nbear\n");
  EXPECT_THAT(error(), HasSubstr("'bear' is listed twice"));
}

TEST_F(OpenDavis, KeepsAFaultySequenceWhereAskedTo) {
  write_sequence("bear", 2, "");
  write_text_file(root_ / "ImageSets/2017/val.txt", "bear\ncamel\n");
  const auto sequences = open_davis(root_.string(), {.split = "", .keep_faulty = true});
  ASSERT_EQ(sequences.size(), 2U);
  EXPECT_EQ(sequences[0].fault, "");
  EXPECT_THAT(sequences[1].fault, HasSubstr("Annotations/camel: no such folder"));
}

TEST_F(OpenDavis, RefusesAFirstFrameWithoutAnnotation) {
  write_sequence("bear", 2, "");
  fs::remove(mask_path(root_ / "Annotations/bear", 0));
  EXPECT_THAT(error(), HasSubstr("first frame has no annotation"));
}

TEST_F(OpenDavis, TakesThePairsOfPathsOfTheListOf2016) {
  for (const char* name : {"bear", "camel", "dog"}) write_sequence(name, 2, "1080p");
  write_text_file(root_ / "ImageSets/480p/val.txt",
                  "\xef\xbb\xbf/JPEGImages/480p/dog/00000.jpg /Annotations/480p/dog/00000.png\r\n"
                  "/JPEGImages/480p/dog/00001.jpg /Annotations/480p/dog/00001.png\r\n\r\n"
                  "/JPEGImages/480p/bear/00000.jpg /Annotations/480p/bear/00000.png \r\n");
  EXPECT_THAT(names(), ElementsAre("dog", "bear"));
  write_text_file(root_ / "ImageSets/480p/val.txt",
                  "JPEGImages/480p/dog/0.jpg Annotations/480p/bear/0.png\n");
  EXPECT_THAT(error(), HasSubstr("expected the name of one sequence, or the paths"));
}

TEST_F(OpenDavis, TakesNamesWithSlashesHeadersAndComments) {
  for (const char* name : {"bear", "camel"}) write_sequence(name, 2, "Full-Resolution");
  for (const char* list : {"sequence\ncamel/\n\n# end\nbear\n",
                           "camel\rbear\r",
                           "DAVIS/JPEGImages/480p/camel DAVIS/Annotations/480p/camel\n./bear/"}) {
    write_text_file(root_ / "ImageSets/2017/val.txt", list);
    EXPECT_THAT(names(), ElementsAre("camel", "bear")) << list;
  }
  write_text_file(root_ / "ImageSets/2017/val.txt", "Bear\n");
  EXPECT_THAT(error(), HasSubstr("('bear' is there)"));
}

TEST_F(OpenDavis, PassesOverHiddenFilesAndRefusesBrokenLinksAndTwins) {
  write_sequence("bear", 3, "480p");
  for (const char* folder :
       {"JPEGImages/480p/bear/._00000.jpg", "Annotations/480p/bear/._00000.png"})
    write_text_file(root_ / folder, "macOS");
  write_text_file(root_ / "Annotations/480p/bear/.DS_Store", "");
  write_text_file(root_ / "Annotations/480p/__MACOSX/._00000.png", "");
  write_text_file(root_ / "JPEGImages/480p/bear/Thumbs.db", "");
  const auto sequences = open_davis(root_.string(), {});
  ASSERT_EQ(sequences.size(), 1U);
  EXPECT_EQ(sequences[0].images.size(), 3U);
  EXPECT_EQ(sequences[0].annotations.size(), 3U);

  const auto image = root_ / "JPEGImages/480p/bear/00001.jpg";
  write_text_file(root_ / "JPEGImages/480p/bear/00001.PNG", "");
  EXPECT_THAT(error(), HasSubstr("are the same frame"));
  fs::remove(root_ / "JPEGImages/480p/bear/00001.PNG");
  fs::remove(image);
  EXPECT_THAT(error(), HasSubstr("Annotations/480p/bear/00001.png: has no image"));
  fs::create_symlink("/no/such/file.jpg", image);
  EXPECT_THAT(error(), HasSubstr("00001.jpg: is a broken link: /no/such/file.jpg"));
}

}  // namespace
}  // namespace stc::data
