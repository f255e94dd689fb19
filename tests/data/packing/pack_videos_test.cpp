#include "data/packing/pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "data/video/frame_source.h"
#include "data/video/video_writer.h"
#include "tests/data/pack_checks.h"
#include "tests/data/pictures.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class PackVideos : public test::PackTest<pack_videos> {
 protected:
  void write_frames(const std::string& name, int frames) const {
    for (int i = 0; i < frames; ++i)
      test::write_jpeg(folder_ / text("{}/{}.jpg", name, i), 100 * frames + i);
  }
  void write_video(const std::string& name, int frames) const {
    fs::create_directories(fs::path(folder_ / name).parent_path());
    const auto writer = VideoWriter::create(folder_ / name, 32, 48, 10);
    for (int i = 0; i < frames; ++i) writer->add(test::smooth_image(32, 48, i));
    writer->finish();
  }
  /// "name:frames" of each video.
  std::vector<std::string> packed_videos() const {
    const auto set = ShardSet::open(options_.out);
    std::vector<std::string> videos;
    for (const auto& video : set->videos())
      videos.push_back(text("{}:{}", video.name, video.frames));
    return videos;
  }
};

TEST_F(PackVideos, TakesFoldersOfFramesAtAnyDepthInNaturalOrder) {
  write_frames("in/10", 12);
  write_frames("in/9", 3);
  write_frames("in/deep/er/clip", 2);
  ASSERT_EQ(pack({folder_ / "in"}).said, "");
  EXPECT_THAT(packed_videos(), ElementsAre("9:3", "10:12", "deep/er/clip:2"));
  const auto set = ShardSet::open(options_.out);
  EXPECT_EQ(set->kind(), ShardKind::kVideos);
  EXPECT_EQ(set->name(5), "10/2.jpg");
  EXPECT_EQ(set->name(13), "10/10.jpg");
  EXPECT_EQ(set->read(13), read_file(folder_ / "in/10/10.jpg"));
  EXPECT_EQ(summary_.videos, 3);
  EXPECT_EQ(summary_.entries, 17);
}

TEST_F(PackVideos, DecodesVideoFilesIntoTheirFrames) {
  write_video("in/clip.mp4", 7);
  write_frames("in/frames", 2);
  options_.threads = 2;
  ASSERT_EQ(pack({folder_ / "in"}).said, "");
  EXPECT_THAT(packed_videos(), ElementsAre("clip.mp4:7", "frames:2"));
  const auto set = ShardSet::open(options_.out);
  const auto source = FrameSource::open(folder_ / "in/clip.mp4");
  for (int i = 0; i < 7; ++i) {
    EXPECT_EQ(set->name(i), text("clip.mp4#{}", i));
    const auto frame = decode_image(set->read(i), "x");
    EXPECT_LE(largest_difference(frame.pixels, source->next()->pixels), 12) << i;
  }
}

TEST_F(PackVideos, NamesAFolderThatIsOneVideoAfterItself) {
  write_frames("in/camel", 3);
  ASSERT_EQ(pack({folder_ / "in/camel"}).said, "");
  EXPECT_THAT(packed_videos(), ElementsAre("camel:3"));
}

TEST_F(PackVideos, KeepsAVideoWithinOneShard) {
  for (int i = 0; i < 5; ++i) write_frames(text("in/{}", i), 4);
  options_.shard_bytes = 1;
  ASSERT_EQ(pack({folder_ / "in"}).said, "");
  EXPECT_EQ(summary_.shards, 5);
  EXPECT_THAT(packed_videos(), ElementsAre("0:4", "1:4", "2:4", "3:4", "4:4"));
}

TEST_F(PackVideos, RefusesAVideoOfOneFrame) {
  write_frames("in/long", 3);
  write_frames("in/short", 1);
  write_video("in/still.mp4", 1);
  const auto outcome = pack({folder_ / "in"});
  EXPECT_EQ(outcome.exit, Exit::kBadData);
  EXPECT_THAT(outcome.said,
              AllOf(HasSubstr(folder_ / "in/short" + ": has 1 frame; a video needs at least 2"),
                    HasSubstr(folder_ / "in/still.mp4" + ": has 1 frame"),
                    HasSubstr("2 of 3 sources")));
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(PackVideos, NamesTheFrameThatIsCutShortAndWritesNothing) {
  write_frames("in/a", 3);
  write_frames("in/b", 5);
  test::cut_short(folder_ / "in/b/4.jpg");
  const auto outcome = pack({folder_ / "in"});
  EXPECT_EQ(outcome.exit, Exit::kBadData);
  EXPECT_THAT(
      outcome.said,
      AllOf(HasSubstr(folder_ / "in/b/4.jpg" + ": damaged JPEG"), HasSubstr("1 of 2 sources")));
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(PackVideos, LeavesOutTheWholeVideoOfADamagedFrameWhenTold) {
  write_frames("in/a", 3);
  write_frames("in/b", 5);
  write_frames("in/c", 4);
  test::cut_short(folder_ / "in/b/4.jpg");
  options_.skip_bad = true;
  const auto outcome = pack({folder_ / "in"});
  EXPECT_EQ(outcome.exit, Exit::kFine);
  EXPECT_THAT(outcome.said, HasSubstr("left out: " + (folder_ / "in/b/4.jpg")));
  EXPECT_THAT(packed_videos(), ElementsAre("a:3", "c:4"));
  const auto set = ShardSet::open(options_.out);
  ASSERT_EQ(set->size(), 7);
  for (int i = 0; i < 4; ++i)
    EXPECT_EQ(set->read(3 + i), read_file(folder_ / text("in/c/{}.jpg", i)));
  EXPECT_EQ(summary_.videos, 2);
  EXPECT_EQ(summary_.skipped, 1);
}

TEST_F(PackVideos, NamesSourcesThatAreMissingEmptyOrNoVideo) {
  fs::create_directories(folder_ / "empty");
  test::write_text(folder_ / "text.mp4", "no video");
  const auto complaint = [&](const std::string& source) {
    const auto outcome = pack({source});
    EXPECT_EQ(outcome.exit, Exit::kBadData) << source;
    EXPECT_TRUE(nothing_is_left()) << source;
    return outcome.said;
  };
  EXPECT_THAT(complaint(folder_ / "none"), HasSubstr("none: no such file or folder"));
  EXPECT_THAT(complaint(folder_ / "empty"),
              HasSubstr("empty: holds no video file or folder of images"));
  EXPECT_THAT(complaint(folder_ / "text.mp4"), HasSubstr("text.mp4: does not open as a video"));
}

}  // namespace
}  // namespace stc::data
