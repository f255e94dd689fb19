#include "data/synthetic/clips.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "data/benchmarks/davis.h"
#include "data/file.h"
#include "data/images/image.h"
#include "data/synthetic/scene.h"
#include "monitoring/check.h"
#include "tests/support/davis_files.h"
#include "tests/support/temporary_folder.h"

namespace stc::data {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;
using namespace stc::test;

std::shared_ptr<const Image> plain_photo(std::uint8_t value) {
  return std::make_shared<const Image>(
      Image{80, 80, std::vector<std::uint8_t>(80 * 80 * 3, value)});
}

/// A white blob with label 7 that turns, grows and ripples over black.
Scene white_on_black() {
  Layer black;
  black.photo = plain_photo(0);
  Layer white;
  white.photo = plain_photo(255);
  white.outline = Blob{12, {0.2, -0.1, 0.05, 0, 0.03}, {0, 0.1, 0, -0.05, 0}};
  white.label = 7;
  white.y = {.middle = 30, .slope = 20};
  white.x = {.middle = 40, .slope = -30};
  white.scale = {.middle = 1, .slope = 0.6};
  white.angle = {.middle = 0.5, .slope = 1};
  white.ripple = {.middle = 0.8};
  white.ripple_length = 20;
  return {60, 80, {black, white}};
}

TEST(DrawnScene, HasLabelsExactlyWhereTheCutoutCoversMostOfAPixel) {
  const Scene scene = white_on_black();
  for (const double t : {0.0, 0.3, 1.0}) {
    const Image image = draw_image(scene, t);
    const LabelMap labels = draw_labels(scene, t);
    int labelled = 0;
    for (std::size_t i = 0; i < labels.labels.size(); ++i) {
      const int white = image.pixels[3 * i];
      labelled += labels.labels[i] == 7;
      if (white > 170) {
        EXPECT_EQ(labels.labels[i], 7) << "pixel " << i << " at " << t;
      }
      if (white < 85) {
        EXPECT_EQ(labels.labels[i], 0) << "pixel " << i << " at " << t;
      }
    }
    EXPECT_GT(labelled, 150);
  }
}

TEST(DrawnScene, HidesWhatLiesBehind) {
  Scene scene = white_on_black();
  Layer front = scene.layers[1];
  front.label = 0;
  scene.layers.push_back(front);
  const LabelMap labels = draw_labels(scene, 0.5);
  EXPECT_EQ(std::count(labels.labels.begin(), labels.labels.end(), 7), 0);
}

TEST(Blob, MeasuresTheDistanceToACircle) {
  const Blob circle{10, {}, {}};
  EXPECT_DOUBLE_EQ(circle.depth(0, 0), 10);
  EXPECT_NEAR(circle.depth(3, 4), 5, 1e-12);
  EXPECT_NEAR(circle.depth(-12, 9), -5, 1e-12);
}

TEST(Blob, FollowsItsHarmonics) {
  const Blob blob{10, {0.1, 0, 0.2, 0, 0}, {0, 0.3, 0, 0, -0.1}};
  for (double phi = 0; phi < 6.28; phi += 0.1) {
    const double radius = 10 * (1 + 0.1 * std::cos(2 * phi) + 0.2 * std::cos(4 * phi) +
                                0.3 * std::sin(3 * phi) - 0.1 * std::sin(6 * phi));
    EXPECT_NEAR(blob.depth(radius * std::sin(phi), radius * std::cos(phi)), 0, 1e-12);
    EXPECT_LE(radius, blob.largest_radius());
  }
}

class SynthesizeClips : public testing::Test {
 protected:
  SynthesizeClips() {
    fs::create_directories(photos_ / "nested");
    for (int i = 0; i < 5; ++i) {
      Image photo{90, 120, {}};
      for (int pixel = 0; pixel < 90 * 120 * 3; ++pixel) {
        photo.pixels.push_back(static_cast<std::uint8_t>((pixel * (7 + 2 * i)) % 251));
      }
      const std::string name = "photo-" + std::to_string(i) + ".png";
      write_png((photos_ / (i % 2 == 0 ? "" : "nested") / name).string(), photo);
    }
  }
  SyntheticClipOptions options(std::uint64_t seed = 1) const {
    SyntheticClipOptions small;
    small.clips = 2;
    small.frames = 4;
    small.height = 96;
    small.width = 128;
    small.seed = seed;
    return small;
  }
  fs::path make(const std::string& name, const SyntheticClipOptions& settings) {
    fs::path out = fs::path(folder_.path()) / name;
    synthesize_clips({photos_.string()}, out.string(), settings);
    return out;
  }

  TemporaryFolder folder_;
  fs::path photos_ = fs::path(folder_.path()) / "photos";
};

TEST_F(SynthesizeClips, WritesADavisTreeWithOneObjectAndTwo) {
  const fs::path out = make("out", options());
  const auto sequences = open_davis(out.string(), {});
  ASSERT_EQ(sequences.size(), 2U);
  for (std::size_t clip = 0; clip < 2; ++clip) {
    ASSERT_EQ(sequences[clip].images.size(), 4U);
    ASSERT_EQ(sequences[clip].annotations.size(), 4U);
    const Image image = read_image(sequences[clip].images[0]);
    const LabelMap map = read_label_png(sequences[clip].annotations[0]);
    EXPECT_EQ(image.height, 96);
    EXPECT_EQ(image.width, 128);
    EXPECT_EQ(map.height, 96);
    const std::set<int> labels(map.labels.begin(), map.labels.end());
    EXPECT_EQ(labels, clip == 0 ? (std::set<int>{0, 1}) : (std::set<int>{0, 1, 2}));
  }
  EXPECT_TRUE(fs::exists(out / "sources.txt"));
}

TEST_F(SynthesizeClips, GivesTheSameFilesForTheSameSeedAndOthersForAnother) {
  const fs::path a = make("a", options(1));
  const fs::path b = make("b", options(1));
  const fs::path c = make("c", options(2));
  const std::string frame = "JPEGImages/480p/clip-01/00002.jpg";
  const std::string mask = "Annotations/480p/clip-01/00002.png";
  for (const auto& file : {frame, mask}) {
    EXPECT_EQ(read_file((a / file).string()), read_file((b / file).string()));
    EXPECT_NE(read_file((a / file).string()), read_file((c / file).string()));
  }
}

TEST_F(SynthesizeClips, ReplacesItsOwnFolderWhenAsked) {
  make("out", options(1));
  try {
    make("out", options(2));
    FAIL() << "an existing folder was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("--force"));
  }
  auto replacing = options(2);
  replacing.replace = true;
  const fs::path out = make("out", replacing);
  const std::string frame = "JPEGImages/480p/clip-01/00002.jpg";
  EXPECT_EQ(read_file((out / frame).string()),
            read_file((make("other", options(2)) / frame).string()));
}

TEST_F(SynthesizeClips, LeavesNothingBehindWhereAPhotographIsDamaged) {
  write_text_file(photos_ / "damaged.jpg", "no photograph");
  auto many = options();
  many.clips = 4;
  EXPECT_THROW(make("out", many), Error);
  std::set<std::string> left;
  for (const auto& entry : fs::directory_iterator(folder_.path()))
    left.insert(entry.path().filename());
  EXPECT_EQ(left, std::set<std::string>{"photos"});
}

TEST_F(SynthesizeClips, NeedsFourPhotographs) {
  for (int i : {0, 2}) fs::remove(photos_ / ("photo-" + std::to_string(i) + ".png"));
  try {
    make("out", options());
    FAIL() << "three photographs were enough";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("found 3 photograph(s)"));
  }
}

TEST_F(SynthesizeClips, NamesTheOptionThatIsOutOfRange) {
  auto short_clip = options();
  short_clip.frames = 2;
  try {
    make("out", short_clip);
    FAIL() << "two frames were accepted";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("--frames is 2"));
  }
}

}  // namespace
}  // namespace stc::data
