#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>

#include "data/images/image.h"
#include "data/video/frame_source.h"
#include "launcher/commands.h"
#include "monitoring/check.h"
#include "tests/support/temporary_folder.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr int kHeight = 24;
constexpr int kWidth = 36;

class PropagateCommand : public testing::Test {
 protected:
  PropagateCommand() { write_mask(kHeight / 2); }

  /// Object 1 in the upper rows.
  void write_mask(int rows) const {
    data::LabelMap mask{kHeight, kWidth, std::vector<std::uint8_t>(kHeight * kWidth)};
    std::fill_n(mask.labels.begin(), rows * kWidth, std::uint8_t{1});
    data::write_label_png(folder_ / "mask.png", mask);
  }
  // A grey level of its own for each frame.
  std::string write_frames(int count) const {
    auto clip = folder_ / text("clip{}", count);
    fs::create_directory(clip);
    for (int i = 0; i < count; ++i) {
      const auto level = static_cast<std::uint8_t>(60 + 5 * i);
      data::write_png(clip + text("/{}.png", i),
                      {kHeight, kWidth, std::vector<std::uint8_t>(3 * kHeight * kWidth, level)});
    }
    return clip;
  }
  int run(const std::string& clip, const std::vector<std::string>& more = {}) {
    CLI::App app;
    launcher::Action command;
    add_propagate(app, command);
    std::vector<std::string> arguments = {"propagate", clip, "--mask", folder_ / "mask.png"};
    for (const auto& each : {"--weights", "random", "--depth", "18", "--short-side", "16", "--out"})
      arguments.emplace_back(each);
    arguments.push_back(folder_ / "out");
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
    testing::internal::CaptureStdout();
    int code = 0;
    try {
      code = command();
    } catch (const Error& error) {
      said_ = error.what();
      code = static_cast<int>(error.exit());
    }
    testing::internal::GetCapturedStdout();
    return code;
  }

  test::TemporaryFolder folder_;
  std::string said_;
};

TEST_F(PropagateCommand, WritesAMaskAndAVideoFrameForEachFrame) {
  ASSERT_EQ(run(write_frames(3)), 0) << said_;
  for (const char* name : {"00000.png", "00001.png", "00002.png"}) {
    const auto mask = data::read_label_png(folder_ / "out/masks/" + name);
    EXPECT_EQ(mask.height, kHeight);
    EXPECT_EQ(mask.width, kWidth);
  }
  EXPECT_FALSE(fs::exists(folder_ / "out/masks/00003.png"));
  const auto video = data::FrameSource::open(folder_ / "out/overlay.mp4");
  int frames = 0;
  while (video->next()) ++frames;
  EXPECT_EQ(frames, 3);
}

TEST_F(PropagateCommand, LeavesNothingOfAnEarlierClipThatItReplaces) {
  ASSERT_EQ(run(write_frames(3)), 0) << said_;
  ASSERT_EQ(run(write_frames(2), {"--force"}), 0) << said_;
  EXPECT_TRUE(fs::exists(folder_ / "out/masks/00001.png"));
  EXPECT_FALSE(fs::exists(folder_ / "out/masks/00002.png"));
}

TEST_F(PropagateCommand, LeavesNothingBehindWhereAFrameIsDamaged) {
  const auto clip = write_frames(3);
  std::ofstream(clip + "/2.png") << "no picture";
  EXPECT_EQ(run(clip), static_cast<int>(Exit::kBadData));
  EXPECT_THAT(said_, HasSubstr("2.png"));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
  EXPECT_FALSE(fs::exists(folder_ / "out.partial"));
}

// The strip is gathered in bounded memory, so its length has corner cases at 6, 12 and 24 frames.
TEST_F(PropagateCommand, SpreadsTheStripOverAClipOfAnyLength) {
  write_mask(0);  // nothing is drawn over the frames
  for (const int count : {1, 2, 6, 12, 13, 25}) {
    ASSERT_EQ(run(write_frames(count), {"--force"}), 0) << said_;
    const auto strip = data::read_image(folder_ / "out/strip.png");
    const int shown = std::min(count, 6);
    ASSERT_EQ(strip.height, kHeight);
    ASSERT_EQ(strip.width, shown * (kWidth + 4) - 4) << count;
    std::vector<int> levels;
    for (int i = 0; i < shown; ++i) levels.push_back(strip.pixels[3 * i * (kWidth + 4)]);
    EXPECT_EQ(levels.front(), 60) << count;
    EXPECT_TRUE(std::is_sorted(levels.begin(), levels.end(), std::less_equal<>())) << count;
    EXPECT_GE(levels.back(), 60 + 5 * (count - 1) * 3 / 4) << count;
  }
}

TEST_F(PropagateCommand, RefusesAFolderInUseAndAMaskOfAnotherSize) {
  const auto clip = write_frames(2);
  ASSERT_EQ(run(clip), 0);
  EXPECT_EQ(run(clip), static_cast<int>(Exit::kUsage));
  EXPECT_THAT(said_, HasSubstr("out: is not empty"));
  data::write_label_png(folder_ / "mask.png", {2, 2, {0, 1, 1, 0}});
  EXPECT_EQ(run(clip, {"--force"}), static_cast<int>(Exit::kBadData));
  EXPECT_THAT(said_, HasSubstr("mask.png: the mask is 2x2, the first frame 36x24"));
}

}  // namespace
}  // namespace stc::launcher
