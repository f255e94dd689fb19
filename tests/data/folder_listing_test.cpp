#include "data/folder_listing.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "data/file.h"
#include "tests/support/temporary_folder.h"

namespace stc::data {
namespace {

using ::testing::ElementsAre;

TEST(NaturalOrder, TakesNumbersByValueAndKeepsFoldersTogether) {
  std::vector<std::string> names = {
      "b10.jpg", "b2.jpg", "a/10", "a-b/1", "a/9", "b002.jpg", "a", "B2", "b2"};
  std::sort(names.begin(), names.end(), natural_less);
  EXPECT_THAT(
      names, ElementsAre("B2", "a", "a/9", "a/10", "a-b/1", "b2", "b002.jpg", "b2.jpg", "b10.jpg"));
}

TEST(NaturalOrder, IsAStrictOrder) {
  const std::string names[] = {
      "", "0", "00", "1", "01", "1a", "01a", "a1", "a01", "a1b2", "a01b1", "a/1", "a"};
  for (const auto& a : names) {
    EXPECT_FALSE(natural_less(a, a));
    for (const auto& b : names) {
      EXPECT_EQ(natural_less(a, b) || natural_less(b, a), a != b) << a << " " << b;
      EXPECT_FALSE(natural_less(a, b) && natural_less(b, a)) << a << " " << b;
      for (const auto& c : names) {
        const bool a_before_c = !natural_less(a, b) || !natural_less(b, c) || natural_less(a, c);
        EXPECT_TRUE(a_before_c) << a << " " << b << " " << c;
      }
    }
  }
}

TEST(ListFiles, TakesEndingsInAnyCaseAndNothingElse) {
  const test::TemporaryFolder folder;
  for (const char* name : {"10.PNG", "9.png", "x.jpg", "png"}) write_file(folder / name, {});
  std::filesystem::create_directory(folder / "1.png");
  EXPECT_THAT(list_files(folder.path(), {".png"}),
              ElementsAre(folder / "9.png", folder / "10.PNG"));
}

}  // namespace
}  // namespace stc::data
