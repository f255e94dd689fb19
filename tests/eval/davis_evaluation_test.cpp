#include "eval/davis_evaluation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "data/image.h"
#include "tests/support/davis_files.h"
#include "tests/support/temporary_folder.h"

namespace stc::eval {
namespace {

namespace fs = std::filesystem;
using namespace stc::test;
using testing::Contains;
using testing::HasSubstr;

// A tree with two sequences of four still frames, whose masks therefore are easy to follow.
class EvaluateDavis : public testing::Test {
 protected:
  void SetUp() override {
    for (const std::string name : {"one", "two"}) {
      auto mask = label_map(48, 64);
      fill_box(mask, 8, 8, 24, 24, name == "one" ? 255 : 1);
      if (name == "two") fill_box(mask, 24, 40, 16, 16, 2);
      for (int t = 0; t < 4; ++t) {
        write_mask(root_ / "Annotations" / name, t, mask);
        const auto folder = root_ / "JPEGImages" / name;
        fs::create_directories(folder);
        data::write_png(mask_path(folder, t), picture_of(mask));
      }
    }
  }
  // Each object in a colour of its own, over a checkered ground.
  static data::Image picture_of(const data::LabelMap& mask) {
    data::Image image{mask.height, mask.width, {}};
    for (int y = 0; y < mask.height; ++y) {
      for (int x = 0; x < mask.width; ++x) {
        const int label = mask.at(y, x);
        const int ground = (x / 8 + y / 8) % 2 == 0 ? 20 : 60;
        for (int c = 0; c < 3; ++c)
          image.pixels.push_back(
              static_cast<std::uint8_t>(label == 0 ? ground : label * (70 + 40 * c) % 256));
      }
    }
    return image;
  }
  DavisEvaluation evaluate() {
    DavisEvaluationOptions options;
    options.video.short_side = 48;
    options.video.propagation.half_window = 2;
    options.overlays = true;
    options.threads = 1;
    options.on_frame = [&](const std::string& name, std::int64_t frame, std::int64_t frames) {
      told_.push_back(name + " " + std::to_string(frame) + "/" + std::to_string(frames));
    };
    const models::ResNet trunk(models::propagation_options(18, 8), 3);
    return evaluate_davis(
        trunk, data::open_davis(root_.string(), {.split = ""}), out_.string(), options);
  }

  TemporaryFolder folder_;
  fs::path root_ = fs::path(folder_.path()) / "davis";
  fs::path out_ = fs::path(folder_.path()) / "out";
  std::vector<std::string> told_;
};

TEST_F(EvaluateDavis, WritesAMaskForEachFrameAndTheTables) {
  const auto evaluation = evaluate();
  EXPECT_EQ(evaluation.frames, 8);
  for (const std::string name : {"one", "two"}) {
    for (int t = 0; t < 4; ++t) {
      const auto mask = data::read_label_png(mask_path(out_ / name, t));
      EXPECT_EQ(mask.height, 48);
      EXPECT_EQ(mask.width, 64);
      EXPECT_TRUE(
          fs::exists(fs::path(mask_path(out_ / "overlays" / name, t)).replace_extension("jpg")));
    }
  }
  for (const char* table :
       {"global_results.csv", "per-sequence_results.csv", "results.csv", "per-frame.csv"})
    EXPECT_TRUE(fs::exists(out_ / table)) << table;
  EXPECT_THAT(told_, testing::SizeIs(8));
  EXPECT_EQ(told_.back(), "two 4/4");
}

TEST_F(EvaluateDavis, FollowsStillObjects) {
  const auto evaluation = evaluate();
  ASSERT_EQ(evaluation.scores.objects.size(), 3u);
  EXPECT_GT(evaluation.scores.j.mean, 0.6);
}

TEST_F(EvaluateDavis, ReadsABinaryMaskAsObjectOneAndSaysSo) {
  EXPECT_THAT(evaluate().notes,
              Contains(HasSubstr("one: the first mask holds nothing but 0 and 255")));
  EXPECT_EQ(data::read_label_png(mask_path(out_ / "one", 0)).at(10, 10), 1);
}

}  // namespace
}  // namespace stc::eval
