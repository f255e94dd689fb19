#include "data/video/frame_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "data/file.h"
#include "data/video/video_writer.h"
#include "monitoring/check.h"
#include "tests/data/test_images.h"
#include "tests/support/temporary_folder.h"

namespace stc::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string error_of(const std::string& path) {
  try {
    FrameSource::open(path);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kBadData);
    return error.what();
  }
  return "";
}

void write_video(const std::string& path, int height, int width, int frames) {
  const auto writer = VideoWriter::create(path, height, width, 12.5);
  for (int i = 0; i < frames; ++i) writer->add(test::smooth_image(height, width, i));
  writer->finish();
}

double mean_difference(const Image& a, const Image& b, int width) {
  double sum = 0;
  for (int y = 0; y < a.height; ++y) {
    for (int x = 0; x < 3 * width; ++x) {
      sum += std::abs(a.pixels[3 * y * a.width + x] - b.pixels[3 * y * b.width + x]);
    }
  }
  return sum / (3.0 * a.height * width);
}

TEST(FrameSource, GivesBackTheFramesThatTheVideoWriterTook) {
  const test::TemporaryFolder folder;
  for (const int height : {48, 49}) {
    for (const int width : {64, 65}) {
      const auto path = folder / "clip.mp4";
      write_video(path, height, width, 5);
      const auto source = FrameSource::open(path);
      EXPECT_NEAR(source->frames_per_second(), 12.5, 0.01);
      for (int i = 0; i < 5; ++i) {
        const auto frame = source->next();
        ASSERT_TRUE(frame.has_value());
        EXPECT_EQ(frame->height, (height + 1) / 2 * 2);
        EXPECT_EQ(frame->width, (width + 1) / 2 * 2);
        const auto written = test::smooth_image(height, width, i);
        EXPECT_LT(mean_difference(written, *frame, width), 6) << height << " " << width << " " << i;
      }
      EXPECT_FALSE(source->next().has_value());
    }
  }
}

TEST(FrameSource, ReadsAFolderInNaturalOrder) {
  const test::TemporaryFolder folder;
  write_file(folder / "10.jpg", encode_jpeg(test::smooth_image(8, 10), 90));
  write_png(folder / "9.jpg", test::smooth_image(8, 9));
  write_png(folder / "8", test::smooth_image(8, 8));
  write_file(folder / "notes.txt", {});
  write_file(folder / "._9.jpg", {});
  const auto source = FrameSource::open(folder.path());
  EXPECT_EQ(source->next()->width, 8);
  EXPECT_EQ(source->next()->width, 9);
  EXPECT_EQ(source->next()->width, 10);
  EXPECT_FALSE(source->next().has_value());
  EXPECT_EQ(source->frames_per_second(), 25);
}

TEST(FrameSource, NamesADamagedFrameOfAFolder) {
  const test::TemporaryFolder folder;
  write_png(folder / "1.png", test::smooth_image(8, 8));
  write_file(folder / "2.jpg", {});
  const auto source = FrameSource::open(folder.path());
  EXPECT_TRUE(source->next().has_value());
  try {
    source->next();
    FAIL() << "the damaged frame was left out";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("2.jpg: is empty; expected a JPEG or PNG image"));
  }
}

TEST(FrameSource, NamesWhatDoesNotOpen) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(error_of(folder / "none.mp4"), HasSubstr("none.mp4: cannot be opened: No such file"));
  EXPECT_THAT(error_of(folder.path()), HasSubstr("holds no JPEG or PNG image"));
  write_file(folder / "text.mp4", std::vector<std::uint8_t>(1000, 'a'));
  EXPECT_THAT(error_of(folder / "text.mp4"), HasSubstr("text.mp4: does not open as a video"));
}

TEST(FrameSource, ReadsOrRefusesAVideoCutAnywhere) {
  const test::TemporaryFolder folder;
  write_video(folder / "whole.mp4", 32, 32, 4);
  const auto whole = read_file(folder / "whole.mp4");
  for (std::size_t length = 0; length < whole.size(); length += 97) {
    write_file(folder / "cut.mp4", std::span(whole).first(length));
    int frames = 0;
    try {
      const auto source = FrameSource::open(folder / "cut.mp4");
      while (source->next()) ++frames;
      EXPECT_GT(frames, 0) << length;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr("cut.mp4: ")) << length;
    }
    EXPECT_LE(frames, length < whole.size() / 2 ? 0 : 4) << length;
  }
}

// FFmpeg alone would take the "random" for a protocol.
TEST(VideoWriter, WritesIntoAFolderWithAColonInItsRelativePath) {
  const test::TemporaryFolder folder;
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  std::filesystem::create_directory("random:1");
  write_video("random:1/a.mp4", 16, 16, 2);
  EXPECT_TRUE(FrameSource::open("random:1/a.mp4")->next().has_value());
  std::filesystem::current_path(before);
}

TEST(VideoWriter, LeavesNothingBehindWhenItIsNotFinished) {
  const test::TemporaryFolder folder;
  VideoWriter::create(folder / "x.mp4", 16, 16, 25)->add(test::smooth_image(16, 16));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
  EXPECT_THROW(VideoWriter::create(folder / "none/x.mp4", 16, 16, 25), Error);
}

}  // namespace
}  // namespace stc::data
