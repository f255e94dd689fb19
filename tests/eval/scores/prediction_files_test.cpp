#include "eval/scores/prediction_files.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "monitoring/check.h"
#include "tests/support/davis_files.h"
#include "tests/support/temporary_folder.h"

namespace stc::eval {
namespace {

using testing::HasSubstr;
using namespace stc::test;

class KeyPointFiles : public testing::Test {
 protected:
  std::string error(const std::string& content) {
    write_text_file(path_, content);
    try {
      read_key_points(path_);
    } catch (const Error& thrown) {
      EXPECT_EQ(thrown.exit(), Exit::kBadData);
      return thrown.what();
    }
    return "no error";
  }
  static std::string all_joints(const std::string& end_of_line = "\n") {
    std::string lines = "frame,joint,x,y" + end_of_line;
    for (int joint = 14; joint >= 0; --joint)
      lines += "0," + std::to_string(joint) + "," + std::to_string(joint) + ".5,-1" + end_of_line;
    return lines;
  }

  TemporaryFolder folder_;
  std::string path_ = folder_ / "clip.csv";
};

TEST_F(KeyPointFiles, KeepEveryDigit) {
  const auto points = at::rand({3, 15, 2}, at::kDouble) * 300;
  write_key_points(path_, points);
  EXPECT_TRUE(at::equal(read_key_points(path_), points));
}

TEST_F(KeyPointFiles, TakeLinesInAnyOrderAndFromWindows) {
  for (const char* end : {"\n", "\r\n"}) {
    EXPECT_EQ(error(all_joints(end)), "no error");
    const auto points = read_key_points(path_);
    EXPECT_EQ(points.sizes(), (std::vector<std::int64_t>{1, 15, 2}));
    EXPECT_EQ(points[0][3][0].item<double>(), 3.5);
    EXPECT_EQ(points[0][3][1].item<double>(), -1);
  }
}

TEST_F(KeyPointFiles, NameFileAndLineOfWhatIsWrong) {
  EXPECT_THAT(error("x,y\n"), HasSubstr("clip.csv: starts with 'x,y'; expected the line frame"));
  EXPECT_THAT(error("frame,joint,x,y\n"), HasSubstr("holds no key point"));
  for (const char* line : {"0,15,1,1", "-1,0,1,1", "0,0,1", "0,0,1,nan", "0,0,1,1,1", "a,0,1,1"})
    EXPECT_THAT(error("frame,joint,x,y\n" + std::string(line)), HasSubstr("clip.csv:2: is '"))
        << line;
  EXPECT_THAT(error(all_joints() + "0,7,1,1\n"), HasSubstr("joint 7 of frame 0 twice"));
  EXPECT_THAT(error(all_joints() + "1,0,1,1\n"), HasSubstr("no joint 1 of frame 1"));
}

TEST_F(KeyPointFiles, NameThePredictionThatIsAbsent) {
  EXPECT_THROW(read_key_points(folder_ / "none.csv"), Error);
}

}  // namespace
}  // namespace stc::eval
