#include "data/result_folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "monitoring/check.h"
#include "tests/support/temporary_folder.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ResultFolders : public testing::Test {
 protected:
  static void write(const fs::path& file, const std::string& content) {
    fs::create_directories(file.parent_path());
    std::ofstream(file) << content;
  }
  static std::string content(const fs::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), {}};
  }
  /// What is said where a folder is refused.
  std::string refusal(const std::string& name, bool replace) const {
    try {
      const ResultFolder folder(name, replace, {"masks", "strip.png"});
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::kUsage);
      return error.what();
    }
    return "taken";
  }

  test::TemporaryFolder folder_;
  const fs::path root_ = folder_.path(), name_ = root_ / "out";
};

TEST_F(ResultFolders, HasItsNameOnceItIsFinished) {
  for (const std::string spelling : {"out", "deep/er/out/"}) {
    ResultFolder results(folder_ / spelling, false, {"strip.png"});
    write(results.path() / "strip.png", "new");
    EXPECT_FALSE(fs::exists(folder_ / spelling));
    results.finish();
    EXPECT_EQ(content(root_ / spelling / "strip.png"), "new");
  }
  EXPECT_FALSE(fs::exists(root_ / "out.partial"));
}

TEST_F(ResultFolders, LeavesWhatWasThereUntilItIsFinished) {
  write(name_ / "strip.png", "old");
  write(name_ / "masks/00000.png", "old");
  {
    const ResultFolder results(name_, true, {"masks", "strip.png"});
    write(results.path() / "strip.png", "new");
  }
  EXPECT_EQ(content(name_ / "strip.png"), "old");
  ResultFolder results(name_, true, {"masks", "strip.png"});
  write(results.path() / "strip.png", "new");
  results.finish();
  EXPECT_EQ(content(name_ / "strip.png"), "new");
  EXPECT_FALSE(fs::exists(name_ / "masks"));
  EXPECT_EQ(std::distance(fs::directory_iterator(root_), {}), 1);
}

TEST_F(ResultFolders, RefusesAFileAnEarlierResultAndWhatIsNoResult) {
  write(root_ / "file", "mine");
  EXPECT_THAT(refusal(root_ / "file", true), HasSubstr("file: is a file; expected a folder"));
  write(name_ / "strip.png", "old");
  EXPECT_THAT(refusal(name_, false), HasSubstr("out: is not empty"));
  EXPECT_EQ(refusal(name_, true), "taken");
  write(name_ / "thesis.tex", "mine");
  EXPECT_THAT(refusal(name_, true), HasSubstr("thesis.tex: is not written by this command"));
  EXPECT_EQ(content(name_ / "thesis.tex"), "mine");
}

TEST_F(ResultFolders, TakesAnEmptyFolderAndWhatACrashLeft) {
  fs::create_directory(name_);
  write(root_ / "out.partial/masks/00000.png", "left");
  ResultFolder results(name_, false, {"masks"});
  EXPECT_TRUE(fs::is_empty(results.path()));
  results.finish();
  EXPECT_TRUE(fs::is_empty(name_));
}

}  // namespace
}  // namespace stc::data
