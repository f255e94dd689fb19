#include "data/shards/shard_copy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <thread>

#include "data/packing/pack.h"
#include "data/shards/manifest.h"
#include "monitoring/check.h"
#include "tests/data/pack_checks.h"
#include "tests/support/file_content.h"
#include "tests/support/temporary_folder.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

using ::testing::HasSubstr;

class ShardCopy : public testing::Test {
 protected:
  /// Pictures first to first + count - 1, a shard each.
  void pack(const std::string& name, int first, int count) {
    for (int i = first; i < first + count; ++i)
      test::write_jpeg(folder_ / text("{}-in/{}.jpg", name, i), i);
    PackOptions options;
    options.out = folder_ / name;
    options.shard_bytes = 1;
    pack_images({folder_ / (name + "-in")}, options);
  }
  /// The names below `disk`.
  std::vector<std::string> names() {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(disk_))
      names.push_back(entry.path().filename().string());
    return names;
  }

  test::TemporaryFolder folder_;
  const std::string disk_ = folder_ / "disk/of/node";
};

TEST_F(ShardCopy, HoldsTheSameFilesAndIsMadeOnce) {
  pack("set", 0, 3);
  const auto copy = path_of_copy(folder_ / "set", disk_);
  EXPECT_FALSE(fs::exists(copy));
  EXPECT_GT(copy_shards(folder_ / "set", disk_), 0u);
  int files = 0;
  for (const auto& entry : fs::directory_iterator(folder_ / "set")) {
    const auto name = entry.path().filename().string();
    EXPECT_EQ(test::content(copy + "/" + name), test::content(entry.path().string()));
    ++files;
  }
  EXPECT_EQ(files, 4);
  EXPECT_EQ(copy_shards(folder_ / "set/", disk_), 0u);
  EXPECT_EQ(path_of_copy(folder_ / "set/", disk_), copy);
  EXPECT_EQ(names().size(), 1u);
}

TEST_F(ShardCopy, OfAnotherSetIsAnotherFolder) {
  pack("a/set", 0, 2);
  pack("b/set", 1, 2);
  EXPECT_NE(path_of_copy(folder_ / "a/set", disk_), path_of_copy(folder_ / "b/set", disk_));
}

TEST_F(ShardCopy, IsMadeByOneOfSeveralJobs) {
  pack("set", 0, 3);
  std::vector<std::thread> jobs;
  for (int i = 0; i < 4; ++i) jobs.emplace_back([&] { copy_shards(folder_ / "set", disk_); });
  for (auto& job : jobs) job.join();
  EXPECT_TRUE(fs::exists(path_of_copy(folder_ / "set", disk_) + "/manifest.json"));
  EXPECT_EQ(names().size(), 1u);
}

TEST_F(ShardCopy, OfASetThatLacksAShardLeavesNothing) {
  pack("set", 0, 3);
  fs::remove(folder_ / "set/shard-00001.h5");
  try {
    copy_shards(folder_ / "set", disk_);
    FAIL() << "a shard that is missing was copied";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("shard-00001.h5: is missing"));
  }
  EXPECT_TRUE(names().empty());
}

TEST_F(ShardCopy, NeedsRoom) {
  fs::create_directories(folder_ / "set");
  Manifest manifest;
  manifest.shards.push_back({"shard-00000.h5", 1, std::uint64_t{1} << 60, "0123456789abcdef"});
  write_manifest(folder_ / "set", manifest);
  try {
    copy_shards(folder_ / "set", disk_);
    FAIL() << "a set larger than the disk was copied";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kFailed);
    EXPECT_THAT(error.what(), HasSubstr("set needs 1099511627776; name another disk"));
  }
}

TEST_F(ShardCopy, NeedsAFolderThatCanBeMade) {
  pack("set", 0, 1);
  try {
    copy_shards(folder_ / "set", folder_ / "set/manifest.json");
    FAIL() << "a file was taken for a disk";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kFailed);
    EXPECT_THAT(error.what(), HasSubstr("name another disk, or leave data.local out"));
  }
}

}  // namespace
}  // namespace stc::data
