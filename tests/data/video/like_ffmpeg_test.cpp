// Every frame equals what the ffmpeg program shows, over containers, codecs, colours and turns.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "data/video/frame_source.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/video_files.h"

namespace stc::data {
namespace {

struct Clip {
  std::string name;
  std::string options;  ///< between the test picture and the file
  std::string ending;
  int height = 96;
  int width = 128;
  bool is_turned = false;  ///< shown with height and width swapped
  std::string scale = "";  ///< for ffmpeg's side
};

void PrintTo(const Clip& clip, std::ostream* out) { *out << clip.name; }

std::vector<Image> all_frames(const std::string& path, double rate = 0) {
  const auto source = FrameSource::open(path, rate);
  std::vector<Image> frames;
  while (auto frame = source->next()) frames.push_back(std::move(*frame));
  EXPECT_FALSE(source->damage().any()) << source->damage().say();
  return frames;
}

void expect_equal(const std::vector<Image>& ours, const std::vector<Image>& theirs) {
  ASSERT_EQ(ours.size(), theirs.size());
  ASSERT_FALSE(ours.empty());
  for (std::size_t i = 0; i < ours.size(); ++i) {
    ASSERT_EQ(ours[i].height, theirs[i].height);
    ASSERT_EQ(ours[i].width, theirs[i].width);
    int largest = 0;
    for (std::size_t at = 0; at < ours[i].pixels.size(); ++at)
      largest = std::max(largest, std::abs(ours[i].pixels[at] - theirs[i].pixels[at]));
    EXPECT_LE(largest, 1) << "frame " << i;
  }
}

class LikeFfmpeg : public ::testing::TestWithParam<Clip> {};

TEST_P(LikeFfmpeg, GivesTheSameFrames) {
  const auto& clip = GetParam();
  const test::TemporaryFolder folder;
  const auto path = folder / ("clip." + clip.ending);
  test::run_ffmpeg(test::test_source(clip.height, clip.width, 7) + clip.options + " '" + path +
                   "'");
  if (::testing::Test::HasFatalFailure()) return;
  const int height = clip.is_turned ? clip.width : clip.height;
  const int width = clip.is_turned ? clip.height : clip.width;
  expect_equal(all_frames(path), test::frames_by_ffmpeg(path, height, width, clip.scale));
}

std::string name_of(const ::testing::TestParamInfo<Clip>& clip) { return clip.param.name; }

const std::string kX264 = "-c:v libx264 -pix_fmt yuv420p ";

INSTANTIATE_TEST_SUITE_P(
    Containers,
    LikeFfmpeg,
    ::testing::Values(Clip{"mp4_h264", kX264, "mp4"},
                      Clip{"mov_h264_bframes", kX264 + "-bf 3 -g 30", "mov"},
                      Clip{"mkv_h264", kX264, "mkv"},
                      Clip{"mts_h264", kX264 + "-f mpegts", "MTS"},
                      Clip{"raw_h264", kX264, "h264"},
                      Clip{"mp4_hevc", "-c:v libx265 -x265-params log-level=none", "mp4"},
                      Clip{"webm_vp8", "-c:v libvpx", "webm"},
                      Clip{"webm_vp9", "-c:v libvpx-vp9", "webm"},
                      Clip{"mp4_av1", "-c:v libsvtav1 -loglevel quiet", "mp4"},
                      Clip{"avi_mpeg4", "-c:v mpeg4 -bf 2", "avi"},
                      Clip{"avi_mjpeg", "-c:v mjpeg -pix_fmt yuvj420p", "avi"},
                      Clip{"avi_raw", "-c:v rawvideo -pix_fmt bgr24", "avi"},
                      Clip{"mpg_mpeg2", "-c:v mpeg2video -r 25", "mpg"},
                      Clip{"vob_mpeg2", "-c:v mpeg2video -r 25 -f vob", "vob"},
                      Clip{"wmv", "-c:v wmv2", "wmv"},
                      Clip{"flv", "-c:v flv", "flv"},
                      Clip{"ogv_theora", "-c:v libtheora", "ogv"},
                      Clip{"mov_prores", "-c:v prores_ks", "mov"},
                      Clip{"mkv_ffv1_444", "-c:v ffv1 -pix_fmt yuv444p", "mkv"},
                      Clip{"y4m", "-pix_fmt yuv420p", "y4m"},
                      Clip{"gif", "", "gif"}),
    name_of);

std::string tagged(const std::string& matrix, const std::string& range) {
  return kX264 + "-vf scale=out_color_matrix=" + matrix + ":out_range=" + range + " -colorspace " +
         matrix + " -color_range " + range;
}

INSTANTIATE_TEST_SUITE_P(
    Colours,
    LikeFfmpeg,
    ::testing::Values(
        Clip{"bt709_limited", tagged("bt709", "tv"), "mp4"},
        Clip{"bt709_full", tagged("bt709", "pc"), "mp4"},
        Clip{"bt601_limited", tagged("smpte170m", "tv"), "mp4"},
        Clip{"bt601_full", tagged("bt470bg", "pc"), "mkv"},
        Clip{"bt2020_limited", tagged("bt2020nc", "tv"), "mp4"},
        Clip{"smpte240m", tagged("smpte240m", "tv"), "mkv"},
        Clip{"hevc_bt709_10bit",
             "-c:v libx265 -x265-params log-level=none -pix_fmt yuv420p10le -colorspace bt709",
             "mp4"},
        Clip{"vp9_bt709", "-c:v libvpx-vp9 -colorspace bt709 -color_range tv", "webm"},
        Clip{"h264_10bit", "-c:v libx264 -pix_fmt yuv420p10le", "mkv"},
        Clip{"h264_422", "-c:v libx264 -pix_fmt yuv422p", "mkv"},
        Clip{"h264_444", "-c:v libx264 -pix_fmt yuv444p", "mkv"},
        Clip{"h264_rgb", "-c:v libx264rgb -pix_fmt rgb24", "mkv"},
        Clip{"grey", "-c:v ffv1 -pix_fmt gray", "mkv"},
        Clip{"grey_10bit", "-c:v ffv1 -pix_fmt gray10le", "mkv"},
        Clip{"alpha", "-c:v ffv1 -pix_fmt yuva420p", "mkv"},
        Clip{"yuv410", "-c:v ffv1 -pix_fmt yuv410p", "mkv"},
        Clip{"unmarked_719_lines", kX264 + "-pix_fmt yuv444p -vf scale=128:719", "mkv", 719, 128},
        Clip{"unmarked_720_lines", kX264, "mp4", 720, 1280, false, ":in_color_matrix=bt709"},
        Clip{"odd_sizes", "-c:v ffv1 -pix_fmt yuv420p -vf scale=83:61", "mkv", 61, 83},
        Clip{"narrow", "-c:v ffv1 -pix_fmt yuv420p -vf scale=17:50", "mkv", 50, 17},
        Clip{"anamorphic", kX264 + "-vf setsar=8/9", "mp4"},
        Clip{"interlaced", kX264 + "-flags +ilme+ildct -vf tinterlace=4", "mp4"},
        Clip{"variable_rate",
             kX264 + "-vf \"select=not(eq(mod(n\\,3)\\,1))\" -fps_mode vfr",
             "mp4"}),
    name_of);

struct Turn {
  std::string name;
  int a, b, c, d;  ///< of the display matrix
};

/// What the matrix says, pixel by pixel.
Image shown(const Image& stored, const Turn& turn) {
  const bool swaps = turn.a == 0;
  Image image =
      swaps ? blank_image(stored.width, stored.height) : blank_image(stored.height, stored.width);
  for (int y = 0; y < stored.height; ++y) {
    for (int x = 0; x < stored.width; ++x) {
      int to_x = turn.a * x + turn.c * y;
      int to_y = turn.b * x + turn.d * y;
      if (turn.a + turn.c < 0) to_x += image.width - 1;
      if (turn.b + turn.d < 0) to_y += image.height - 1;
      std::copy_n(stored.at(y, x), 3, &image.pixels[3 * (to_y * image.width + to_x)]);
    }
  }
  return image;
}

class DisplayMatrix : public ::testing::TestWithParam<Turn> {};

// Lossless RGB: the same pixels at other places. Then what phones write, against ffmpeg.
TEST_P(DisplayMatrix, IsApplied) {
  const auto& turn = GetParam();
  const test::TemporaryFolder folder;
  const auto source = test::test_source(96, 128, 3);
  test::run_ffmpeg(source + "-c:v libx264rgb -qp 0 -pix_fmt rgb24 '" + (folder / "plain.mp4") +
                   "'");
  const auto stored = all_frames(folder / "plain.mp4");
  test::set_display_matrix(folder / "plain.mp4", turn.a, turn.b, turn.c, turn.d);
  const auto turned = all_frames(folder / "plain.mp4");
  ASSERT_EQ(turned.size(), 3U);
  for (std::size_t i = 0; i < turned.size(); ++i)
    EXPECT_EQ(turned[i].pixels, shown(stored[i], turn).pixels) << i;
  for (const std::string format : {"yuv420p", "yuv444p", "yuv420p10le"}) {
    const auto path = folder / (format + ".mp4");
    test::run_ffmpeg(source + "-c:v libx264 -pix_fmt " + format + " '" + path + "'");
    test::set_display_matrix(path, turn.a, turn.b, turn.c, turn.d);
    const bool swaps = turn.a == 0;
    expect_equal(all_frames(path),
                 test::frames_by_ffmpeg(path, swaps ? 128 : 96, swaps ? 96 : 128));
  }
}

INSTANTIATE_TEST_SUITE_P(All,
                         DisplayMatrix,
                         ::testing::Values(Turn{"upright", 1, 0, 0, 1},
                                           Turn{"quarter_right", 0, 1, -1, 0},
                                           Turn{"half", -1, 0, 0, -1},
                                           Turn{"quarter_left", 0, -1, 1, 0},
                                           Turn{"mirrored", -1, 0, 0, 1},
                                           Turn{"upside_down", 1, 0, 0, -1},
                                           Turn{"transposed", 0, 1, 1, 0},
                                           Turn{"anti_transposed", 0, -1, -1, 0}),
                         [](const auto& turn) { return turn.param.name; });

// A cut without encoding again begins at a key frame and hides what comes before by an edit list.
TEST(EditList, HidesFramesAsFfmpegDoes) {
  const test::TemporaryFolder folder;
  test::run_ffmpeg(test::test_source(96, 128, 30) + kX264 + "-g 10 '" + (folder / "all.mp4") + "'");
  const auto path = folder / "cut.mp4";
  test::run_ffmpeg("-ss 1.45 -i '" + (folder / "all.mp4") + "' -t 1 -c copy '" + path + "'");
  const auto frames = all_frames(path);
  expect_equal(frames, test::frames_by_ffmpeg(path, 96, 128));
  EXPECT_LE(frames.size(), 12U);
}

// As ffmpeg's filter of the name: frames repeated and left out by their times.
TEST(FramesPerSecond, RepeatsAndLeavesOutAsFfmpeg) {
  const test::TemporaryFolder folder;
  const auto path = folder / "clip.mp4";
  test::run_ffmpeg(test::test_source(48, 64, 23, "12") +
                   "-vf \"select=not(eq(mod(n\\,4)\\,1))\" -fps_mode vfr -c:v libx264 '" + path +
                   "'");
  for (const std::string rate : {"5", "12", "30", "7.5"}) {
    SCOPED_TRACE(rate);
    expect_equal(all_frames(path, std::stod(rate)),
                 test::frames_by_ffmpeg(path, 48, 64, "", "fps=" + rate + ","));
  }
}

}  // namespace
}  // namespace stc::data
