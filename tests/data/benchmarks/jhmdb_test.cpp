#include "data/benchmarks/jhmdb.h"
#include "data/benchmarks/joint_positions.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <limits>

#include "data/file.h"
#include "monitoring/check.h"
#include "tests/support/davis_files.h"
#include "tests/support/jhmdb_files.h"
#include "tests/support/temporary_folder.h"

namespace stc::data {
namespace {

using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
namespace fs = std::filesystem;
using namespace stc::test;

template <typename Call>
std::string error_of(const Call& call) {
  try {
    call();
  } catch (const Error& thrown) {
    EXPECT_EQ(thrown.exit(), Exit::kBadData);
    return thrown.what();
  }
  return "no error";
}

class OpenJhmdb : public testing::Test {
 protected:
  OpenJhmdb() {
    for (const char* clip : {"jump/a", "jump/b", "wave/c"}) {
      write_joints(root_, clip, marching_joints(2, 10, 10, 1));
      for (const char* frame : {"00001.png", "00002.png"})
        write_text_file(root_ / "Rename_Images" / clip / frame, "never decoded here");
    }
  }
  std::vector<std::string> names(const std::string& split = "") {
    std::vector<std::string> found;
    for (const auto& clip : open_jhmdb(root_.string(), {.split = split}))
      found.push_back(clip.name);
    return found;
  }
  std::string error(const JhmdbOptions& options = {}) {
    return error_of([&] { open_jhmdb(root_.string(), options); });
  }
  /// The list of that name in the root, or elsewhere.
  std::string list(const std::string& name, const std::string& content) {
    write_text_file(root_ / name, content);
    return (root_ / name).string();
  }

  TemporaryFolder folder_;
  fs::path root_ = fs::path(folder_.path()) / "jhmdb";  // Linux minds the case, lists do not
};

TEST_F(OpenJhmdb, TakesAListWithTheJointsFirst) {
  list("val_list.txt",
       "JHMDB/joint_positions/wave/c/joint_positions.mat JHMDB/Rename_Images/wave/c\r\n"
       "JHMDB/joint_positions/jump/a/joint_positions.mat JHMDB/Rename_Images/jump/a");
  const auto clips = open_jhmdb(root_.string(), {});
  ASSERT_EQ(clips.size(), 2U);
  EXPECT_EQ(clips[0].name, "wave/c");
  EXPECT_EQ(clips[0].joints, (root_ / "joint_positions/wave/c/joint_positions.mat").string());
  EXPECT_THAT(clips[0].images,
              ElementsAre(EndsWith("wave/c/00001.png"), EndsWith("wave/c/00002.png")));
  EXPECT_EQ(clips[1].name, "jump/a");
}

TEST_F(OpenJhmdb, TakesAListWithTheImagesFirstAndPathsOfAnotherMachine) {
  const auto split = list("list.txt",
                          "/disk/of/another/JHMDB/Rename_Images/jump/b/ "
                          "/disk/of/another/JHMDB/joint_positions/jump/b/\n"
                          "Rename_Images/wave/c joint_positions/wave/c/joint_positions.mat\n");
  EXPECT_THAT(names(split), ElementsAre("jump/b", "wave/c"));
}

TEST_F(OpenJhmdb, TakesListsWithMarksHeadersAndBlankLines) {
  const auto split = list("list.txt",
                          "\xef\xbb\xbf"
                          "joints images\r\n\r\n"
                          "JHMDB/joint_positions/wave/c/joint_positions.mat "
                          "JHMDB/Rename_Images/wave/c/\r\n# end\r\n");
  EXPECT_THAT(names(split), ElementsAre("wave/c"));
}

// Joints have no names: a hole among the images would give all later ones the joints of the frame
// before.
TEST_F(OpenJhmdb, MatchesImagesToJointsByNumber) {
  const auto images = root_ / "Rename_Images/jump/a";
  write_text_file(images / "00004.png", "");
  EXPECT_THAT(error(), HasSubstr("jump/a/00004.png: is image 3 of its folder; expected frame 3"));
  EXPECT_THAT(error({.split = "", .need_images = false}), HasSubstr("expected frame 3"));
  fs::create_symlink("/no/such/file.png", images / "00003.png");
  EXPECT_THAT(error(), HasSubstr("00003.png: is a broken link: /no/such/file.png"));
  fs::remove(images / "00003.png");
  fs::rename(images / "00004.png", images / "00003.png");
  write_text_file(images / "._00001.png", "macOS");
  EXPECT_EQ(error(), "no error");
  fs::remove(images / "00001.png");
  EXPECT_THAT(error(), HasSubstr("00002.png: is image 1 of its folder; expected frame 1"));
}

TEST_F(OpenJhmdb, RefusesJointsInSharesOfThePicture) {
  auto values = marching_joints(2, 10, 10, 1);
  for (auto& value : values) value /= 100;
  write_joints(root_, "jump/a", values);
  EXPECT_THAT(error_of([&] { read_joints(open_jhmdb(root_.string(), {}).front().joints); }),
              HasSubstr("expected pixels, not shares of the picture"));
}

TEST_F(OpenJhmdb, TakesTheTestClipsOfTheDataSetsOwnSplits) {
  list("splits/jump_test_split1.txt", "a.avi 1\nb.avi 2\n");
  list("splits/jump_test_split2.txt", "a.avi 2\nb.avi 1\n");
  list("splits/wave_test_split1.txt", "c.avi 2 \n");
  EXPECT_THAT(names(), ElementsAre("jump/b", "wave/c"));
  EXPECT_THAT(names((root_ / "splits").string()), ElementsAre("jump/b", "wave/c"));
  EXPECT_THAT(names((root_ / "splits/jump_test_split2.txt").string()), ElementsAre("jump/a"));
}

TEST_F(OpenJhmdb, TakesAllClipsWhereThereIsNoList) {
  EXPECT_THAT(names(), ElementsAre("jump/a", "jump/b", "wave/c"));
}

TEST_F(OpenJhmdb, TakesTheFolderThatHoldsTheRoot) {
  fs::rename(root_, fs::path(folder_.path()) / "JHMDB");
  EXPECT_EQ(open_jhmdb(folder_.path() + "/", {}).size(), 3U);
}

TEST_F(OpenJhmdb, NamesListAndClipWhereOneIsAbsent) {
  const auto split = list("list.txt", "joint_positions/jump/x/joint_positions.mat Images/jump/x");
  EXPECT_THAT(error({.split = split}),
              testing::AllOf(HasSubstr("list.txt: lists clip 'jump/x'"),
                             HasSubstr("jump/x/joint_positions.mat")));
  fs::remove_all(root_ / "Rename_Images/jump/b");
  EXPECT_THAT(error(), testing::AllOf(HasSubstr("'jump/b'"), HasSubstr("Rename_Images/jump/b")));
  EXPECT_EQ(open_jhmdb(root_.string(), {.split = "", .need_images = false}).size(), 3U);
}

TEST_F(OpenJhmdb, KeepsAFaultyClipWhereAskedTo) {
  fs::remove_all(root_ / "Rename_Images/jump/b");
  const auto clips = open_jhmdb(root_.string(), {.split = "", .keep_faulty = true});
  ASSERT_EQ(clips.size(), 3U);
  EXPECT_EQ(clips[0].fault, "");
  EXPECT_EQ(clips[1].name, "jump/b");
  EXPECT_THAT(clips[1].fault, HasSubstr("Rename_Images/jump/b"));
}

TEST_F(OpenJhmdb, RefusesAClipWithoutImages) {
  fs::remove(root_ / "Rename_Images/jump/b/00001.png");
  fs::remove(root_ / "Rename_Images/jump/b/00002.png");
  EXPECT_THAT(error(), HasSubstr("Rename_Images/jump/b: holds no image"));
}

TEST_F(OpenJhmdb, RefusesListsThatMakeNoSense) {
  EXPECT_THAT(error({.split = "/no/list.txt"}), HasSubstr("/no/list.txt: the split file cannot"));
  EXPECT_THAT(error({.split = list("l.txt", "jump/a\n")}), HasSubstr("holds the line 'jump/a'"));
  EXPECT_THAT(error({.split = list("l.txt", "jump/a jump/b\n")}), HasSubstr("one path to joint"));
  EXPECT_THAT(error({.split = list("l.txt", "a.avi 2\n")}), HasSubstr("as it gives the class"));
  EXPECT_THAT(error({.split = list("jump_test_split1.txt", "a.avi 1\n")}), HasSubstr("no clip"));
  EXPECT_THAT(error({.split = list("jump_test_split1.txt", "a.avi 2\na.avi 2\n")}),
              HasSubstr("'jump/a' is listed twice"));
  EXPECT_THAT(error({.split = (root_ / "joint_positions").string()}), HasSubstr("holds no list"));
  EXPECT_THAT(error_of([&] { open_jhmdb("/nowhere", {}); }), HasSubstr("/nowhere: is not a JHMDB"));
}

class ReadJoints : public testing::Test {
 protected:
  std::string error() {
    return error_of([&] { read_joints(path_.string()); });
  }
  /// Writes the first `bytes` of the file again, with one changed to `value`.
  void damage(std::size_t bytes, std::size_t at, std::uint8_t value) {
    auto content = read_file(path_.string());
    content.resize(std::min(bytes, content.size()));
    if (at < content.size()) content[at] = value;
    write_file(path_.string(), content);
  }

  TemporaryFolder folder_;
  fs::path path_ = fs::path(folder_.path()) / "joint_positions.mat";
};

TEST_F(ReadJoints, CountsFromZeroFrameByFrame) {
  std::vector<double> values(2 * 15 * 3);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = 0.25 + static_cast<double>(i);
  write_mat(path_, "pos_img", {2, 15, 3}, values);
  const auto joints = read_joints(path_.string());
  EXPECT_EQ(joints.sizes(), (std::vector<std::int64_t>{3, 15, 2}));
  const auto expected = (at::arange(90, at::kDouble) + 0.25 - 1).view({3, 15, 2});
  EXPECT_TRUE(at::equal(joints, expected));
}

TEST_F(ReadJoints, TakesOneFrameWhoseLastDimensionMatlabLeavesOut) {
  write_mat(path_, "pos_img", {2, 15}, std::vector<double>(30, 5));
  EXPECT_EQ(read_joints(path_.string()).sizes(), (std::vector<std::int64_t>{1, 15, 2}));
}

TEST_F(ReadJoints, RefusesWhatIsNoMatlab5File) {
  write_text_file(path_, "joints");
  EXPECT_THAT(error(), HasSubstr("joint_positions.mat: is not a MATLAB file of version 5"));
  write_text_file(path_, std::string(4096, 'x'));
  EXPECT_THAT(error(), HasSubstr("is not a MATLAB file of version 5"));
  write_text_file(path_, std::string(124, ' ') + std::string("\0\2IM", 4) + "\211HDF");
  EXPECT_THAT(error(), HasSubstr("is a MATLAB 7.3 file"));
  fs::remove(path_);
  EXPECT_THAT(error(), HasSubstr("joint_positions.mat: "));
}

TEST_F(ReadJoints, NamesTheShapeOfMisshapenPositions) {
  write_mat(path_, "pos_world", {2, 15, 3}, std::vector<double>(90));
  EXPECT_THAT(error(), HasSubstr("holds no pos_img"));
  write_mat(path_, "pos_img", {2, 14, 3}, std::vector<double>(84));
  EXPECT_THAT(error(), HasSubstr("pos_img is [2, 14, 3]; expected doubles [2, 15, frames]"));
  write_mat(path_, "pos_img", {15, 2, 3}, std::vector<double>(90));
  EXPECT_THAT(error(), HasSubstr("pos_img is [15, 2, 3]"));
  write_mat(path_, "pos_img", {2, 15, 0}, {});
  EXPECT_THAT(error(), HasSubstr("pos_img"));
}

TEST_F(ReadJoints, RefusesAPositionThatIsNoNumber) {
  std::vector<double> values(90, 3);
  values[7] = std::numeric_limits<double>::quiet_NaN();
  write_mat(path_, "pos_img", {2, 15, 3}, values);
  EXPECT_THAT(error(), HasSubstr("a position that is not a number"));
}

TEST_F(ReadJoints, RefusesAFileWithAChangedByte) {
  write_mat(path_, "pos_img", {2, 15, 20}, marching_joints(20, 3.7, 9.1, 0.3));
  const auto whole = read_file(path_.string());
  for (std::size_t at = 136; at < whole.size(); at += 29) {
    damage(whole.size(), at, static_cast<std::uint8_t>(whole[at] ^ 0x55));
    EXPECT_THAT(error(), HasSubstr("is damaged")) << "byte " << at;
    write_file(path_.string(), whole);
  }
}

TEST_F(ReadJoints, RefusesAFileThatIsCutShortAnywhere) {
  write_mat(path_, "pos_img", {2, 15, 20}, marching_joints(20, 3.7, 9.1, 0.3));
  const auto whole = read_file(path_.string());
  for (std::size_t bytes = 0; bytes < whole.size(); bytes += 41) {
    damage(bytes, bytes, 0);
    EXPECT_THAT(error(), testing::Not(HasSubstr("no error"))) << bytes << " bytes";
    write_file(path_.string(), whole);
  }
}

}  // namespace
}  // namespace stc::data
