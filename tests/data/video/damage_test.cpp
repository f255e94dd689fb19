// What is wrong with a video is counted and named; nothing of it is silent.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "data/file.h"
#include "data/video/frame_source.h"
#include "monitoring/check.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/video_files.h"

namespace stc::data {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class VideoDamage : public ::testing::Test {
 protected:
  /// 20 frames of the test picture.
  std::string clip(const std::string& options, const std::string& name = "clip.mp4") const {
    test::run_ffmpeg(test::test_source(120, 160, 20) + options + " '" + (folder_ / name) + "'");
    return folder_ / name;
  }
  struct Read {
    std::int64_t frames = 0;
    data::VideoDamage damage;
    std::vector<std::string> remarks;
    std::string said;
  };
  static Read read(const std::string& path) {
    const auto source = FrameSource::open(path);
    Read read;
    while (source->next()) ++read.frames;
    read.damage = source->damage();
    read.remarks = source->remarks();
    read.said = read.damage.say();
    return read;
  }
  /// Zeros all but the first 40 bytes of packets.
  static void damage_packets(const std::string& path, const std::vector<int>& packets) {
    const auto positions = test::packet_positions(path);
    auto bytes = read_file(path);
    for (const int packet : packets) {
      const auto& [position, size] = positions.at(static_cast<std::size_t>(packet));
      std::fill_n(bytes.begin() + position + 40, size - 40, std::uint8_t{0});
    }
    write_file(path, bytes);
  }

  test::TemporaryFolder folder_;
};

const std::string kX264 = "-c:v libx264 -pix_fmt yuv420p ";

TEST_F(VideoDamage, IsNoneOfWholeClips) {
  const auto whole = read(clip(kX264));
  EXPECT_EQ(whole.frames, 20);
  EXPECT_FALSE(whole.damage.any());
  EXPECT_THAT(whole.remarks, IsEmpty());
}

TEST_F(VideoDamage, NamesConcealedFramesEachTime) {
  const auto path = clip(kX264 + "-bf 0");
  damage_packets(path, {3, 7, 8});
  for (int i = 0; i < 5; ++i) {
    const auto damaged = read(path);
    EXPECT_EQ(damaged.frames, 20);
    EXPECT_EQ(damaged.damage.frames, 3);
    EXPECT_EQ(damaged.said, "3 of 20 frames are damaged (at frame 3, 7, 8)");
  }
}

TEST_F(VideoDamage, CountsAConcealedFrameThatOtherThreadsFollow) {
  const auto path = clip(kX264 + "-bf 3");
  damage_packets(path, {1});
  for (int i = 0; i < 10; ++i) EXPECT_EQ(read(path).damage.frames, 1);
}

TEST_F(VideoDamage, CountsFramesThatCannotBeDecoded) {
  const auto path = clip("-c:v mjpeg -pix_fmt yuvj420p", "clip.avi");
  damage_packets(path, {5, 6});
  const auto damaged = read(path);
  EXPECT_EQ(damaged.frames + damaged.damage.lost, 20);
  EXPECT_EQ(damaged.damage.lost, 2);
  EXPECT_THAT(damaged.said, HasSubstr("2 frames could not be decoded (at frame 5"));
}

TEST_F(VideoDamage, SaysThatAFileIsCutShort) {
  const auto path = clip(kX264 + "-movflags +faststart");
  const auto whole = read_file(path);
  write_file(path, std::span(whole).first(whole.size() / 2));
  const auto cut = read(path);
  EXPECT_LT(cut.frames, 20);
  EXPECT_TRUE(cut.damage.any());
  EXPECT_THAT(cut.said, HasSubstr("of 20 frames, cut short"));
}

TEST_F(VideoDamage, RemarksOnFramesThatTheContainerLost) {
  const auto path = clip("-c:v libvpx", "clip.webm");
  const auto whole = read_file(path);
  write_file(path, std::span(whole).first(whole.size() / 2));
  EXPECT_THAT(read(path).remarks,
              Contains(HasSubstr("of about 20 frames: the file may be damaged")));
}

TEST_F(VideoDamage, RemarksAreSaidOnce) {
  const auto remarks = [&](const std::string& options, const std::string& name) {
    return read(clip(options, name)).remarks;
  };
  EXPECT_THAT(remarks(kX264 + "-vf setsar=8/9", "sar.mp4"),
              ElementsAre(HasSubstr("not square (sample aspect ratio 8:9)")));
  EXPECT_THAT(remarks(kX264 + "-x264-params interlaced=1 -vf setfield=tff", "interlaced.mp4"),
              ElementsAre(HasSubstr("interlaced")));
  EXPECT_THAT(remarks(kX264 + "-color_trc smpte2084", "hdr.mp4"),
              ElementsAre(HasSubstr("HDR brightness (smpte2084)")));
}

TEST_F(VideoDamage, TakesTheLargestOfSeveralStreamsAndSaysSo) {
  test::run_ffmpeg(
      "-f lavfi -i testsrc2=s=64x48:r=10 -f lavfi -i testsrc2=s=128x96:r=10 -map 0 -map "
      "1 -t 1 -disposition:v 0 " +
      kX264 + "'" + (folder_ / "two.mkv") + "'");
  const auto source = FrameSource::open(folder_ / "two.mkv");
  EXPECT_EQ(source->next()->width, 128);
  EXPECT_THAT(source->remarks(),
              ElementsAre(HasSubstr("2 video streams, of which stream 1 (128 x 96 pixels)")));
}

std::string error_of(const std::string& path) {
  try {
    const auto source = FrameSource::open(path);
    while (source->next()) continue;
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kBadData);
    return error.what();
  }
  return "";
}

TEST_F(VideoDamage, RefusesWhatIsNoVideo) {
  test::run_ffmpeg("-f lavfi -i sine -t 1 '" + (folder_ / "sound.m4a") + "'");
  EXPECT_THAT(error_of(folder_ / "sound.m4a"), HasSubstr("sound.m4a: holds no video"));
  test::run_ffmpeg(test::test_source(32, 32, 1) + "'" + (folder_ / "cover.png") + "'");
  test::run_ffmpeg("-i '" + (folder_ / "sound.m4a") + "' -i '" + (folder_ / "cover.png") +
                   "' -map 0 -map 1 -c copy -disposition:v:0 attached_pic '" +
                   (folder_ / "song.m4a") + "'");
  EXPECT_THAT(error_of(folder_ / "song.m4a"), HasSubstr("cover pictures"));
  write_file(folder_ / "empty.mp4", {});
  EXPECT_THAT(error_of(folder_ / "empty.mp4"), HasSubstr("empty.mp4: is empty; expected a video"));
  write_text(folder_ / "list.txt", std::string(2000, 'x') + "\n");
  EXPECT_THAT(error_of(folder_ / "list.txt"), HasSubstr("list.txt: "));
}

TEST_F(VideoDamage, RefusesAVideoWhoseSizeChanges) {
  const auto a = clip(kX264 + "-f h264", "a.h264");
  test::run_ffmpeg(test::test_source(96, 64, 5) + kX264 + "'" + (folder_ / "b.h264") + "'");
  auto both = read_file(a);
  const auto b = read_file(folder_ / "b.h264");
  both.insert(both.end(), b.begin(), b.end());
  write_file(a, both);
  EXPECT_THAT(error_of(a),
              HasSubstr("a.h264: frame 20 has 96 x 64 pixels (height x width), the first frame 120 "
                        "x 160"));
}

}  // namespace
}  // namespace stc::data
