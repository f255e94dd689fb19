#include "data/packing/pack.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "tests/data/pack_checks.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class PackImages : public test::PackTest<pack_images> {
 protected:
  std::vector<std::string> packed_names() const {
    return test::names_of(*ShardSet::open(options_.out));
  }
};

TEST_F(PackImages, KeepsBytesAndRelativeNamesOfNestedFoldersInNaturalOrder) {
  const auto two = test::write_jpeg(folder_ / "in/a/2.jpg", 2);
  const auto ten = test::write_jpeg(folder_ / "in/a/10.jpg", 10);
  const auto deep = test::write_jpeg(folder_ / "in/b/c/d/1.JPEG", 1);
  write_png(folder_ / "in/picture", test::smooth_image(9, 9));  // a PNG without an ending
  test::write_text(folder_ / "in/a/readme.txt", "no picture");

  ASSERT_EQ(pack({folder_ / "in"}).said, "");
  const auto set = ShardSet::open(options_.out);
  EXPECT_EQ(set->kind(), ShardKind::kImages);
  EXPECT_THAT(packed_names(), ElementsAre("a/2.jpg", "a/10.jpg", "b/c/d/1.JPEG", "picture"));
  EXPECT_EQ(set->read(0), two);
  EXPECT_EQ(set->read(1), ten);
  EXPECT_EQ(set->read(2), deep);
  EXPECT_EQ(set->read(3), read_file(folder_ / "in/picture"));
  EXPECT_EQ(summary_.entries, 4);
  EXPECT_EQ(summary_.shards, 1);
  EXPECT_EQ(summary_.skipped, 0);
}

TEST_F(PackImages, FollowsAListFileRelativeToItsFolder) {
  const auto bytes = test::write_jpeg(folder_ / "in/pictures/1.jpg", 1);
  test::write_jpeg(folder_ / "elsewhere/2.jpg", 2);
  test::write_text(folder_ / "in/list.txt",
                   "pictures/1.jpg\r\n\n" + (folder_ / "elsewhere/2.jpg") + "  \n");
  ASSERT_EQ(pack({folder_ / "in/list.txt"}).said, "");
  EXPECT_THAT(packed_names(), ElementsAre(folder_ / "elsewhere/2.jpg", "pictures/1.jpg"));
  EXPECT_EQ(ShardSet::open(options_.out)->read(1), bytes);
}

TEST_F(PackImages, NamesAListedFileThatIsMissing) {
  test::write_text(folder_ / "list.txt", "gone.jpg\n");
  const auto outcome = pack({folder_ / "list.txt"});
  EXPECT_EQ(outcome.exit, Exit::kBadData);
  EXPECT_THAT(outcome.said, HasSubstr(folder_ / "gone.jpg" + ": cannot be opened"));
}

TEST_F(PackImages, TakesSingleImagesAndSeveralSources) {
  test::write_jpeg(folder_ / "in/1.jpg", 1);
  test::write_jpeg(folder_ / "one.jpg", 2);
  ASSERT_EQ(pack({folder_ / "one.jpg", folder_ / "in"}).said, "");
  EXPECT_THAT(packed_names(), ElementsAre("1.jpg", "one.jpg"));
}

TEST_F(PackImages, FillsSeveralShardsInOrderWithAnyNumberOfThreads) {
  for (int i = 0; i < 40; ++i) test::write_jpeg(folder_ / text("in/{}.jpg", i), i);
  std::set<std::string> digests;
  for (const int threads : {1, 3}) {
    options_.threads = threads;
    options_.shard_bytes = 5000;
    options_.force = true;
    ASSERT_EQ(pack({folder_ / "in"}).said, "");
    EXPECT_GT(summary_.shards, 2);
    const auto set = ShardSet::open(options_.out);
    for (int i = 0; i < 40; ++i) {
      EXPECT_EQ(set->name(i), text("{}.jpg", i));
      EXPECT_EQ(set->read(i), read_file(folder_ / text("in/{}.jpg", i)));
    }
    digests.insert(set->digest());
  }
  EXPECT_EQ(digests.size(), 1u);
}

TEST_F(PackImages, TurnsImagesUprightWhenToldAndLeavesTheOthersAsTheyAre) {
  const auto plain = test::write_jpeg(folder_ / "in/plain.jpg", 1);
  const auto turned = test::with_orientation(plain, 6, true);
  write_file(folder_ / "in/turned.jpg", turned);

  ASSERT_EQ(pack({folder_ / "in"}).said, "");
  EXPECT_EQ(ShardSet::open(options_.out)->read(1), turned);

  options_.apply_orientation = options_.force = true;
  ASSERT_EQ(pack({folder_ / "in"}).said, "");
  const auto set = ShardSet::open(options_.out);
  EXPECT_EQ(set->read(0), plain);
  const auto upright = decode_image(set->read(1), "x");
  EXPECT_EQ(upright.height, 24);
  EXPECT_EQ(upright.width, 16);
  // Once turned, it must not be turned again.
  EXPECT_EQ(decode_image(set->read(1), "x", true).height, 24);
}

TEST_F(PackImages, ShrinksOnlyLargerImages) {
  const auto small = test::write_jpeg(folder_ / "in/1.jpg", 1);  // 16 x 24
  write_file(folder_ / "in/2.jpg", encode_jpeg(test::smooth_image(60, 100), 90));
  options_.max_side = 24;
  ASSERT_EQ(pack({folder_ / "in"}).said, "");
  const auto set = ShardSet::open(options_.out);
  EXPECT_EQ(set->read(0), small);
  const auto shrunk = decode_image(set->read(1), "x");
  EXPECT_EQ(shrunk.height, 14);
  EXPECT_EQ(shrunk.width, 24);
}

TEST_F(PackImages, NamesEveryDamagedImageAndWritesNothing) {
  test::write_jpeg(folder_ / "in/1.jpg", 1);
  test::write_jpeg(folder_ / "in/2.jpg", 2);
  test::cut_short(folder_ / "in/2.jpg");
  write_file(folder_ / "in/3.png", {});
  const auto outcome = pack({folder_ / "in"});
  EXPECT_EQ(outcome.exit, Exit::kBadData);
  EXPECT_THAT(outcome.said,
              AllOf(HasSubstr(folder_ / "in/2.jpg" + ": damaged JPEG"),
                    HasSubstr(folder_ / "in/3.png" + ": is empty"),
                    HasSubstr("2 of 3 sources cannot be used"),
                    HasSubstr("--skip-bad"),
                    Not(HasSubstr("in/1.jpg"))));
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(PackImages, LeavesOutDamagedImagesWhenTold) {
  test::write_jpeg(folder_ / "in/1.jpg", 1);
  test::write_jpeg(folder_ / "in/2.jpg", 2);
  test::write_jpeg(folder_ / "in/3.jpg", 3);
  test::cut_short(folder_ / "in/2.jpg");
  options_.skip_bad = true;
  const auto outcome = pack({folder_ / "in"});
  EXPECT_EQ(outcome.exit, Exit::kFine);
  EXPECT_THAT(outcome.said, HasSubstr("left out: " + (folder_ / "in/2.jpg")));
  EXPECT_THAT(packed_names(), ElementsAre("1.jpg", "3.jpg"));
  EXPECT_EQ(summary_.skipped, 1);
}

TEST_F(PackImages, RefusesASetOfNothingButDamagedImages) {
  write_file(folder_ / "in.jpg", {});
  options_.skip_bad = true;
  const auto outcome = pack({folder_ / "in.jpg"});
  EXPECT_EQ(outcome.exit, Exit::kBadData);
  EXPECT_THAT(outcome.said, HasSubstr("nothing to pack"));
  EXPECT_TRUE(nothing_is_left());
}

TEST_F(PackImages, NamesSourcesThatAreMissingEmptyOrForeign) {
  fs::create_directories(folder_ / "empty/below");
  test::write_jpeg(folder_ / "in/1.jpg", 1);
  test::write_text(folder_ / "binary", std::string("a\0b\n", 4));
  test::write_text(folder_ / "blank.txt", "\n\n");
  const auto complaint = [&](const std::string& source) {
    const auto outcome = pack({folder_ / "in", source});
    EXPECT_EQ(outcome.exit, Exit::kBadData) << source;
    EXPECT_TRUE(nothing_is_left()) << source;
    return outcome.said;
  };
  EXPECT_THAT(complaint(folder_ / "none"), HasSubstr("none: no such file or folder"));
  EXPECT_THAT(complaint(folder_ / "empty"), HasSubstr("empty: holds no JPEG or PNG image"));
  EXPECT_THAT(complaint(folder_ / "binary"),
              HasSubstr("binary: is not a folder, an image, or a text file"));
  EXPECT_THAT(complaint(folder_ / "blank.txt"), HasSubstr("blank.txt: holds no JPEG or PNG image"));
}

TEST_F(PackImages, RefusesACompleteSetUnlessForced) {
  test::write_jpeg(folder_ / "in/1.jpg", 1);
  ASSERT_EQ(pack({folder_ / "in"}).said, "");
  test::write_jpeg(folder_ / "in/2.jpg", 2);
  const auto outcome = pack({folder_ / "in"});
  EXPECT_EQ(outcome.exit, Exit::kUsage);
  EXPECT_THAT(outcome.said, HasSubstr("--force"));
  EXPECT_THAT(packed_names(), ElementsAre("1.jpg"));
  options_.force = true;
  ASSERT_EQ(pack({folder_ / "in"}).said, "");
  EXPECT_THAT(packed_names(), ElementsAre("1.jpg", "2.jpg"));
}

TEST_F(PackImages, StartsAnewOverTheLeftoversOfAKilledRun) {
  test::write_jpeg(folder_ / "in/1.jpg", 1);
  fs::create_directory(folder_ / "set.partial");
  test::write_text(folder_ / "set.partial/shard-00000.h5", "half of a shard");
  test::write_text(folder_ / "set.partial/shard-00004.h5", "another");
  test::write_text(folder_ / "set.partial/spool", "bytes");
  ASSERT_EQ(pack({folder_ / "in"}).said, "");
  EXPECT_THAT(packed_names(), ElementsAre("1.jpg"));
  EXPECT_FALSE(fs::exists(folder_ / "set.partial"));
  EXPECT_FALSE(fs::exists(folder_ / "set/shard-00004.h5"));
}

// A limit on the size of files stands for the full disk: the bytes still fit, the shard around them
// does not. What HDF5 does at exit is part of the test, so it takes a process of its own.
TEST_F(PackImages, LeavesNothingAndExitsCleanlyWhenTheDiskIsFull) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // starts this program again, as for main()
  rlim_t bytes = 0;
  for (int i = 0; i < 20; ++i) bytes += test::write_jpeg(folder_ / text("in/{}.jpg", i), i).size();
  const auto pack_within = [&](rlim_t most) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {most, most};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      pack_images({folder_ / "in"}, options_);
    } catch (const Error& error) {
      std::fprintf(stderr, "%s; left: %s", error.what(), nothing_is_left() ? "nothing" : "files");
      fs::remove_all(folder_.path());
      std::exit(static_cast<int>(error.exit()));
    }
    std::exit(0);
  };
  const testing::ExitedWithCode failed(static_cast<int>(Exit::kFailed));
  EXPECT_EXIT(
      pack_within(bytes - 1), failed, "spool: cannot be written: File too large; left: nothing");
  EXPECT_EXIT(
      pack_within(bytes + 1), failed, "h5: cannot be written: File too large; left: nothing");
}

TEST_F(PackImages, NamesOptionsOutOfRange) {
  test::write_jpeg(folder_ / "in/1.jpg", 1);
  options_.quality = 101;
  const auto outcome = pack({folder_ / "in"});
  EXPECT_EQ(outcome.exit, Exit::kUsage);
  EXPECT_THAT(outcome.said, HasSubstr("--quality is 101; expected 1 to 100"));
}

}  // namespace
}  // namespace stc::data
