#include "data/packing/pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "data/packing/label_images.h"
#include "tests/data/pack_checks.h"
#include "tests/support/odd_files.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

std::vector<std::string> lines_of(const std::vector<PackRemark>& remarks) {
  std::vector<std::string> lines;
  for (const auto& remark : remarks) lines.push_back(remark.line());
  return lines;
}

/// A clip of files that are no real videos would not pack; folders of frames do.
template <auto kPack>
class Sources : public test::PackTest<kPack> {
 protected:
  using test::PackTest<kPack>::folder_;
  using test::PackTest<kPack>::options_;
  using test::PackTest<kPack>::summary_;

  void write_frames(const std::string& name, int frames = 3) const {
    for (int i = 0; i < frames; ++i)
      test::write_jpeg(folder_ / text("in/{}/{}.jpg", name, i), 10 * frames + i);
  }
  void write_masks(const std::string& name, int frames = 3) const {
    LabelMap mask{4, 4, std::vector<std::uint8_t>(16)};
    mask.labels[5] = 1;
    mask.labels[6] = 2;
    fs::create_directories(folder_ / ("in/" + name));
    for (int i = 0; i < frames; ++i) write_label_png(folder_ / text("in/{}/{}.png", name, i), mask);
  }
  std::vector<std::string> videos() const {
    std::vector<std::string> names;
    const auto set = ShardSet::open(options_.out);
    for (const auto& video : set->videos())
      names.push_back(text("{}:{}", video.name, video.frames));
    return names;
  }
  /// Everything found is accounted for.
  void expect_sums() const {
    std::int64_t left_out = 0;
    for (const auto& remark : summary_.left_out) left_out += remark.count;
    EXPECT_EQ(summary_.files, summary_.taken + left_out + summary_.skipped);
  }
};

using VideoSources = Sources<pack_videos>;
using ImageSources = Sources<pack_images>;

TEST_F(VideoSources, ImagesBesideAVideoAreNoClip) {
  write_frames("clip");
  write_frames("downloads", 2);
  test::write_bytes(folder_ / "in/downloads/movie.mkv", "");
  test::write_jpeg(folder_ / "in/downloads/C1.THM", 1);
  options_.skip_bad = true;
  ASSERT_EQ(this->pack({folder_ / "in"}).exit, Exit::kFine);
  EXPECT_THAT(videos(), ElementsAre("clip:3"));
  EXPECT_THAT(lines_of(summary_.left_out),
              ElementsAre("3 images beside videos, taken for thumbnails or stills and not for a "
                          "clip (first: " +
                          (folder_ / "in/downloads/0.jpg") + ")"));
  expect_sums();
}

TEST_F(VideoSources, DavisTreeGivesItsFramesAlone) {
  write_frames("DAVIS/JPEGImages/480p/bear");
  write_frames("DAVIS/JPEGImages/480p/camel", 4);
  write_masks("DAVIS/Annotations/480p/bear");
  write_masks("DAVIS/Annotations_unsupervised/480p/bear");
  test::write_bytes(folder_ / "in/DAVIS/ImageSets/2017/val.txt", "bear\n");
  ASSERT_EQ(this->pack({folder_ / "in"}).said, "");
  EXPECT_THAT(videos(),
              ElementsAre("DAVIS/JPEGImages/480p/bear:3", "DAVIS/JPEGImages/480p/camel:4"));
  EXPECT_THAT(lines_of(summary_.left_out),
              ElementsAre(StartsWith("2 annotation folders beside JPEGImages (first: "),
                          StartsWith("1 .txt file (neither image nor video) (first: ")));
}

TEST_F(VideoSources, MasksAreNoClipWhereverTheyAre) {
  write_frames("frames/a");
  write_masks("frames/b");  // by their palette
  write_frames("frames/c");
  write_masks("frames/c");  // 0.jpg, 0.png, ...
  ASSERT_EQ(this->pack({folder_ / "in"}).said, "");
  EXPECT_THAT(videos(), ElementsAre("frames/a:3", "frames/c:3"));
  EXPECT_THAT(lines_of(summary_.left_out),
              ElementsAre(StartsWith("6 label images, masks or other labels")));
  expect_sums();
}

TEST_F(VideoSources, MasksAreTakenIfTheirFolderItselfIsNamed) {
  write_masks("masks");
  const auto outcome = this->pack({folder_ / "in"});
  EXPECT_EQ(outcome.exit, Exit::kBadData);
  EXPECT_THAT(outcome.said,
              AllOf(HasSubstr("holds no video file or folder of images; left out: 3 label images"),
                    HasSubstr("name their folder itself to take them")));
  ASSERT_EQ(this->pack({folder_ / "in/masks"}).said, "");
  EXPECT_THAT(videos(), ElementsAre("masks:3"));
}

TEST_F(VideoSources, FoldersOfSystemsAndThumbnailsAreNotSearched) {
  write_frames("clip");
  for (const char* name : {"@eaDir/x", ".thumbnails", "lost+found", "__MACOSX", "THMBNL"})
    write_frames(name);
  ASSERT_EQ(this->pack({folder_ / "in"}).said, "");
  EXPECT_THAT(videos(), ElementsAre("clip:3"));
  EXPECT_THAT(lines_of(summary_.left_out),
              testing::UnorderedElementsAre(StartsWith("3 system folders (first: "),
                                            StartsWith("1 hidden folder (first: "),
                                            StartsWith("1 thumbnail folder (first: ")));
}

TEST_F(ImageSources, SaysWhatIsNoImageByKindWithTheFirst) {
  test::write_jpeg(folder_ / "in/a.jpg", 1);
  test::write_bytes(folder_ / "in/1.webp", test::beginning("RIFF1234WEBP"));
  test::write_bytes(folder_ / "in/2.webp", test::beginning("RIFF1234WEBP"));
  test::write_bytes(folder_ / "in/3.dat", test::beginning("ftypheic", 4));
  test::write_bytes(folder_ / "in/4.mp4", "");
  test::write_bytes(folder_ / "in/notes.txt", "text");
  ASSERT_EQ(this->pack({folder_ / "in"}).said, "");
  EXPECT_THAT(lines_of(summary_.left_out),
              testing::UnorderedElementsAre(
                  "2 WebP images (not supported; convert to JPEG or PNG) (first: " +
                      (folder_ / "in/1.webp") + ")",
                  StartsWith("1 HEIF image (not supported"),
                  StartsWith("1 video; `stc pack videos` takes them (first: "),
                  StartsWith("1 .txt file (neither image nor video) (first: ")));
  EXPECT_EQ(summary_.files, 6);
  EXPECT_EQ(summary_.taken, 1);
  expect_sums();
}

TEST_F(ImageSources, BrokenLinksAreNamedAndLeftOutWhenTold) {
  test::write_jpeg(folder_ / "in/a.jpg", 1);
  fs::create_symlink("nowhere.jpg", folder_ / "in/dangling.jpg");
  fs::create_symlink("loop", folder_ / "in/loop");
  fs::create_directory_symlink("..", folder_ / "in/up");
  fs::create_directory_symlink(".", folder_ / "in/here");
  const auto outcome = this->pack({folder_ / "in"});
  EXPECT_EQ(outcome.exit, Exit::kBadData);
  EXPECT_THAT(outcome.said,
              AllOf(HasSubstr("dangling.jpg: is a broken link: nowhere.jpg does not exist"),
                    HasSubstr("in/loop: is a link that leads back to itself (by loop)"),
                    HasSubstr("2 of ")));
  EXPECT_TRUE(this->nothing_is_left());
  options_.skip_bad = true;
  EXPECT_EQ(this->pack({folder_ / "in"}).exit, Exit::kFine);
  EXPECT_EQ(summary_.entries, 1);
  EXPECT_EQ(summary_.skipped, 2);
  EXPECT_THAT(lines_of(summary_.left_out),
              Contains(HasSubstr(" to a folder that is searched already")));
}

TEST_F(ImageSources, LinkGivenAsASourceIsNamedToo) {
  fs::create_symlink("loop", folder_ / "loop");
  fs::create_symlink("gone", folder_ / "dangling");
  for (const auto& [name, said] :
       {std::pair{"loop", "leads back to itself"}, {"dangling", "gone does not exist"}}) {
    const auto outcome = this->pack({folder_ / name});
    EXPECT_EQ(outcome.exit, Exit::kBadData);
    EXPECT_THAT(outcome.said, HasSubstr(said));
  }
}

TEST_F(ImageSources, WhatMayNotBeReadIsNamedAndLeftOutWhenTold) {
  ::chmod(folder_.path().c_str(), 0777);
  test::write_jpeg(folder_ / "in/a.jpg", 1);
  test::write_jpeg(folder_ / "in/closed/b.jpg", 1);
  test::write_jpeg(folder_ / "in/file", 1);
  ::chmod((folder_ / "in/closed").c_str(), 0);
  ::chmod((folder_ / "in/file").c_str(), 0);
  {
    const test::WithoutPrivileges plain_user;
    if (!plain_user.active()) GTEST_SKIP() << "root's privileges cannot be dropped here";
    const auto outcome = this->pack({folder_ / "in"});
    EXPECT_EQ(outcome.exit, Exit::kBadData);
    EXPECT_THAT(outcome.said,
                AllOf(HasSubstr("in/closed: cannot be listed: Permission denied"),
                      HasSubstr("in/file: cannot be opened: Permission denied")));
    options_.skip_bad = true;
    EXPECT_EQ(this->pack({folder_ / "in"}).exit, Exit::kFine);
    EXPECT_EQ(summary_.entries, 1);
    EXPECT_EQ(summary_.skipped, 2);
  }
  ::chmod((folder_ / "in/closed").c_str(), 0700);
}

TEST_F(ImageSources, NamesOfAnyBytesArePackedAndReadBack) {
  const std::string gbk = "\xc4\xe3\xba\xc3.jpg", line = "a\nb.jpg", dash = "-x.jpg",
                    quote = "\"'.jpg";
  std::string longest(251, 'n');
  longest += ".jpg";
  for (const auto& name : {gbk, line, dash, quote, longest})
    test::write_jpeg(folder_ / "in/" + name, 1);
  ASSERT_EQ(this->pack({folder_ / "in"}).said, "");
  EXPECT_THAT(test::names_of(*ShardSet::open(options_.out)),
              testing::UnorderedElementsAre(R"(\xc4\xe3\xba\xc3.jpg)", line, dash, quote, longest));
}

TEST_F(ImageSources, OutputMayHaveTheLongestName) {
  test::write_jpeg(folder_ / "in/a.jpg", 1);
  options_.out = folder_ / std::string(255, 'o');
  options_.force = true;
  ASSERT_EQ(this->pack({folder_ / "in"}).said, "");
  ASSERT_EQ(this->pack({folder_ / "in"}).said, "");
  EXPECT_EQ(ShardSet::open(options_.out)->size(), 1);
  EXPECT_THAT(std::distance(fs::directory_iterator(folder_.path()), fs::directory_iterator()), 2);
}

TEST_F(ImageSources, AFileNamedTwiceIsTakenOnce) {
  test::write_jpeg(folder_ / "in/a/1.jpg", 1);
  ASSERT_EQ(this->pack({folder_ / "in", folder_ / "in/a", folder_ / "in/../in/a/1.jpg"}).said, "");
  EXPECT_EQ(summary_.entries, 1);
  EXPECT_THAT(lines_of(summary_.left_out),
              ElementsAre(StartsWith("2 files named twice by the sources")));
}

TEST_F(ImageSources, ListFromWindowsIsRead) {
  test::write_jpeg(folder_ / "in/a.jpg", 1);
  test::write_text(folder_ / "in/list.txt",
                   "\xef\xbb\xbf"
                   "a.jpg\r\n\r\n");
  ASSERT_EQ(this->pack({folder_ / "in/list.txt"}).said, "");
  EXPECT_EQ(summary_.entries, 1);
}

TEST_F(ImageSources, JpegWithoutItsEndMarkerIsTakenAndCounted) {
  const auto bytes = test::write_jpeg(folder_ / "in/a.jpg", 1);
  test::write_jpeg(folder_ / "in/b.jpg", 2);
  fs::resize_file(folder_ / "in/a.jpg", bytes.size() - 2);
  ASSERT_EQ(this->pack({folder_ / "in"}).said, "");
  EXPECT_EQ(summary_.entries, 2);
  EXPECT_THAT(lines_of(summary_.remarks),
              ElementsAre("1 JPEG taken without an end marker, with all pixels (first: " +
                          (folder_ / "in/a.jpg") + ")"));
}

TEST_F(VideoSources, PicturesOfFewColoursAreAClip) {
  Image game = blank_image(8, 8);
  for (std::size_t i = 0; i < game.pixels.size(); i += 3) game.pixels[i] = i % 2 == 0 ? 200 : 30;
  fs::create_directories(folder_ / "in/game");
  fs::create_directories(folder_ / "in/masks/game");
  for (int i = 0; i < 3; ++i) {
    write_png(folder_ / text("in/game/{}.png", i), game);
    write_png(folder_ / text("in/masks/game/{}.png", i), game);
  }
  ASSERT_EQ(this->pack({folder_ / "in"}).said, "");
  EXPECT_THAT(videos(), ElementsAre("game:3"));  // the same pictures are masks under that name
}

}  // namespace
}  // namespace stc::data
