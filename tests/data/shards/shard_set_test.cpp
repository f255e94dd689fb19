#include "data/shards/shard_set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include "data/file.h"
#include "data/shards/manifest.h"
#include "data/shards/shard_file.h"
#include "data/shards/shard_writer.h"
#include "monitoring/check.h"
#include "tests/support/temporary_folder.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Entries are any bytes to a set; only packers and `stc verify` look into them.
std::vector<std::uint8_t> entry_bytes(int i) {
  std::vector<std::uint8_t> bytes(20 + i % 7);
  for (std::size_t k = 0; k < bytes.size(); ++k)
    bytes[k] = static_cast<std::uint8_t>(31 * i + 7 * k);
  return bytes;
}

void write_images(const std::string& folder, int count, std::uint64_t shard_bytes) {
  ShardWriter writer(folder, ShardKind::kImages, shard_bytes, Existing::kRefuse);
  for (int i = 0; i < count; ++i) writer.add("dir/" + std::to_string(i) + ".jpg", entry_bytes(i));
  writer.finish();
}

void write_videos(const std::string& folder, std::uint64_t shard_bytes) {
  ShardWriter writer(folder, ShardKind::kVideos, shard_bytes, Existing::kRefuse);
  for (int video = 0; video < 5; ++video) {
    writer.begin_video("clip" + std::to_string(video));
    for (int frame = 0; frame < 2 + video; ++frame)
      writer.add(text("{}/{}", video, frame), entry_bytes(10 * video + frame));
    video == 3 ? writer.drop_video() : writer.end_video();
  }
  writer.finish();
}

std::string error_of(const std::string& folder) {
  try {
    const auto set = ShardSet::open(folder);
    for (std::int64_t i = 0; i < set->size(); ++i) set->read(i);
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kBadData);
    return error.what();
  }
  return "";
}

// All that a set gives, in one string.
std::string content_of(const std::string& folder) {
  const auto set = ShardSet::open(folder);
  std::string content = set->digest();
  for (const auto& video : set->videos())
    content += text(" {} {} {}", video.name, video.first, video.frames);
  for (std::int64_t i = 0; i < set->size(); ++i) {
    const auto bytes = set->read(i);
    content += text("\n{} ", set->place(i)).append(bytes.begin(), bytes.end());
  }
  return content;
}

void flip(const std::string& path, std::size_t at) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(static_cast<std::streamoff>(at));
  const char byte = static_cast<char>(file.get() ^ 0x41);
  file.seekp(static_cast<std::streamoff>(at));
  file.put(byte);
}

TEST(ShardSet, GivesBackTheEntriesOfSeveralShards) {
  const test::TemporaryFolder folder;
  for (const std::uint64_t shard_bytes : {1, 100, 1'000'000}) {
    const auto path = folder / std::to_string(shard_bytes);
    write_images(path, 23, shard_bytes);
    const auto set = ShardSet::open(path);
    EXPECT_EQ(set->kind(), ShardKind::kImages);
    ASSERT_EQ(set->size(), 23);
    EXPECT_TRUE(set->videos().empty());
    for (int i = 0; i < 23; ++i) {
      EXPECT_EQ(set->name(i), text("dir/{}.jpg", i));
      EXPECT_EQ(set->read(i), entry_bytes(i));
    }
  }
  EXPECT_EQ(read_manifest(folder / "1").shards.size(), 23u);
  EXPECT_GT(read_manifest(folder / "100").shards.size(), 3u);
  EXPECT_EQ(read_manifest(folder / "1000000").shards.size(), 1u);
}

TEST(ShardSet, KeepsVideosWholeAndForgetsDroppedOnes) {
  const test::TemporaryFolder folder;
  for (const std::uint64_t shard_bytes : {1, 100, 1'000'000}) {
    const auto path = folder / std::to_string(shard_bytes);
    write_videos(path, shard_bytes);
    const auto set = ShardSet::open(path);
    EXPECT_EQ(set->kind(), ShardKind::kVideos);
    ASSERT_EQ(set->videos().size(), 4u);
    std::int64_t next = 0;
    for (const int video : {0, 1, 2, 4}) {
      const auto& range = set->videos()[video == 4 ? 3 : video];
      EXPECT_EQ(range.name, text("clip{}", video));
      EXPECT_EQ(range.first, next);
      ASSERT_EQ(range.frames, 2 + video);
      for (int frame = 0; frame < 2 + video; ++frame) {
        EXPECT_EQ(set->name(next), text("{}/{}", video, frame));
        EXPECT_EQ(set->read(next++), entry_bytes(10 * video + frame));
      }
    }
    EXPECT_EQ(set->size(), next);
  }
  EXPECT_EQ(read_manifest(folder / "1").shards.size(), 4u);
}

TEST(ShardSet, CountsEntriesWithinTheShardInPlace) {
  const test::TemporaryFolder folder;
  write_images(folder / "set", 10, 60);
  const auto set = ShardSet::open(folder / "set");
  const auto first = read_manifest(folder / "set").shards[0].count;
  EXPECT_EQ(set->place(first),
            text("{}: entry 0 (dir/{}.jpg)", folder / "set/shard-00001.h5", first));
  EXPECT_EQ(set->place(first - 1),
            text("{}: entry {} (dir/{}.jpg)", folder / "set/shard-00000.h5", first - 1, first - 1));
}

TEST(ShardSet, HasADigestOfItsContent) {
  const test::TemporaryFolder folder;
  write_images(folder / "a", 10, 60);
  // HDF5 would write the second of creation into the file.
  for (const auto start = std::time(nullptr); std::time(nullptr) == start;) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  write_images(folder / "b", 10, 60);
  write_images(folder / "c", 11, 60);
  EXPECT_EQ(ShardSet::open(folder / "a")->digest(), ShardSet::open(folder / "b")->digest());
  EXPECT_NE(ShardSet::open(folder / "a")->digest(), ShardSet::open(folder / "c")->digest());
  EXPECT_EQ(read_file(folder / "a/shard-00000.h5"), read_file(folder / "b/shard-00000.h5"));
}

TEST(ShardSet, IsReadByManyThreadsAtOnce) {
  const test::TemporaryFolder folder;
  write_images(folder / "set", 50, 200);
  const auto set = ShardSet::open(folder / "set");
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int thread = 0; thread < 4; ++thread) {
      threads.emplace_back([&, thread] {
        for (int i = 0; i < 500; ++i) {
          const int entry = (i * 7 + thread * 13) % 50;
          if (set->read(entry) != entry_bytes(entry)) ++wrong;
        }
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST(ShardSet, NamesTheEntryWhoseByteWasFlipped) {
  const test::TemporaryFolder folder;
  write_images(folder / "set", 10, 100);
  const auto shard = folder / "set/shard-00001.h5";
  const auto opened = read_shard_index(shard);
  flip(shard, opened.bytes_position + opened.index.offset[2] + 3);
  EXPECT_THAT(error_of(folder / "set"),
              AllOf(HasSubstr(shard + ": entry 2 (dir/"), HasSubstr("checksum")));
}

TEST(ShardSet, FindsEveryFlippedByteThatMatters) {
  const test::TemporaryFolder folder;
  write_videos(folder / "set", 1'000'000);
  const auto path = folder / "set/shard-00000.h5";
  const auto whole = read_file(path);
  const auto content = content_of(folder / "set");
  std::size_t unnoticed = 0;
  for (std::size_t at = 0; at < whole.size(); ++at) {
    flip(path, at);
    const auto error = error_of(folder / "set");
    if (error.empty()) {
      ++unnoticed;
      EXPECT_EQ(content_of(folder / "set"), content) << at;
    } else {
      EXPECT_THAT(error, HasSubstr("shard-00000.h5: ")) << at;
    }
    flip(path, at);
  }
  // HDF5 sets its metadata aside in blocks of 2048 bytes; nobody reads the unused end of the last.
  EXPECT_LT(unnoticed, 2048u);
}

TEST(ShardSet, RefusesATruncatedShardAndNamesIt) {
  const test::TemporaryFolder folder;
  write_images(folder / "set", 10, 1'000'000);
  const auto path = folder / "set/shard-00000.h5";
  const auto whole = read_file(path);
  for (std::size_t length = 0; length < whole.size(); length += 101) {
    fs::resize_file(path, length);
    EXPECT_THAT(error_of(folder / "set"), AllOf(HasSubstr(path + ": "), HasSubstr("cut short")))
        << length;
    EXPECT_THROW(read_shard_index(path), Error) << length;  // without the manifest's help too
    write_file(path, whole);
  }
}

TEST(ShardSet, RefusesForeignFilesAndSwappedShards) {
  const test::TemporaryFolder folder;
  write_images(folder / "set", 10, 100);
  const auto first = folder / "set/shard-00000.h5";
  const auto bytes = read_file(first);

  write_file(first, std::vector<std::uint8_t>(bytes.size(), 'x'));
  EXPECT_THAT(error_of(folder / "set"), HasSubstr(first + ": is not an HDF5 file"));

  fs::remove(first);
  EXPECT_THAT(error_of(folder / "set"), HasSubstr(first + ": cannot be opened: No such file"));

  write_images(folder / "other", 10, 100);
  auto manifest = read_manifest(folder / "other");
  std::swap(manifest.shards[0].file, manifest.shards[1].file);
  std::swap(manifest.shards[0].bytes, manifest.shards[1].bytes);
  write_manifest(folder / "other", manifest);
  EXPECT_THAT(error_of(folder / "other"), HasSubstr("is not the shard that the manifest lists"));
}

TEST(ShardSet, RefusesAManifestThatIsMissingOrWrong) {
  const test::TemporaryFolder folder;
  EXPECT_THAT(error_of(folder / "none"), HasSubstr("none: no such folder"));
  EXPECT_THAT(error_of(folder.path()), HasSubstr("holds no manifest.json"));
  write_images(folder / "set", 3, 100);
  const auto path = folder / "set/manifest.json";
  const auto whole = read_file(path);
  const auto error_with = [&](const std::string& from, const std::string& to) {
    std::string changed(whole.begin(), whole.end());
    changed.replace(changed.find(from), from.size(), to);
    write_file(path, {reinterpret_cast<const std::uint8_t*>(changed.data()), changed.size()});
    return error_of(folder / "set");
  };
  EXPECT_THAT(error_with("\"version\": 1", "\"version\": 2"),
              HasSubstr("manifest.json: is of version 2"));
  EXPECT_THAT(error_with("stc-shards", "else"), HasSubstr("manifest.json: format is \"else\""));
  EXPECT_THAT(error_with("\"images\"", "\"sounds\""),
              HasSubstr("manifest.json: its kind is \"sounds\""));
  EXPECT_THAT(error_with("\"images\"", "\"videos\""),
              HasSubstr("holds images, the manifest lists videos"));
  EXPECT_THAT(error_with("\"count\": 3", "\"count\": 4"),
              HasSubstr("manifest.json: its count or digest"));
  EXPECT_THAT(error_with("\"shards\"", "\"pieces\""),
              HasSubstr("manifest.json: is not a manifest"));
  EXPECT_THAT(error_with("shard-00000.h5", "../x"),
              HasSubstr("manifest.json: lists the shard ../x"));
  for (std::size_t length = 0; length + 1 < whole.size(); length += 7) {
    write_file(path, std::span(whole).first(length));
    EXPECT_THAT(error_of(folder / "set"), HasSubstr("manifest.json: is not JSON")) << length;
  }
}

TEST(ShardWriter, RefusesACompleteSetAndReplacesItWhenTold) {
  const test::TemporaryFolder folder;
  write_images(folder / "set", 3, 100);
  try {
    write_images(folder / "set", 4, 100);
    FAIL() << "the set was replaced";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kUsage);
    EXPECT_THAT(error.what(), HasSubstr("--force"));
  }
  EXPECT_EQ(ShardSet::open(folder / "set")->size(), 3);
  {
    ShardWriter unfinished(folder / "set", ShardKind::kImages, 100, Existing::kReplace);
    unfinished.add("x", entry_bytes(1));
  }
  EXPECT_EQ(ShardSet::open(folder / "set")->size(), 3)
      << "the old set stays until the new one is whole";
  ShardWriter writer(folder / "set/", ShardKind::kImages, 100, Existing::kReplace);
  writer.add("x", entry_bytes(1));
  writer.finish();
  EXPECT_EQ(ShardSet::open(folder / "set")->size(), 1);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(ShardWriter, StartsAnewAfterARunThatWasKilled) {
  const test::TemporaryFolder folder;
  fs::create_directory(folder / "set.partial");
  for (const char* name : {"shard-00007.h5", "spool", "manifest.json.partial"}) {
    write_file(folder / "set.partial/" + name, entry_bytes(1));
  }
  write_images(folder / "set", 3, 1000);
  EXPECT_EQ(ShardSet::open(folder / "set")->size(), 3);
  EXPECT_FALSE(fs::exists(folder / "set/shard-00007.h5"));
  EXPECT_FALSE(fs::exists(folder / "set/spool"));
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "set"), fs::directory_iterator()), 2);
}

TEST(ShardWriter, NeverTouchesAFolderWithOtherFiles) {
  const test::TemporaryFolder folder;
  write_images(folder / "set", 3, 1000);
  write_file(folder / "set/thesis.tex", entry_bytes(1));
  EXPECT_THROW(ShardWriter(folder / "set", ShardKind::kImages, 100, Existing::kReplace), Error);
  EXPECT_TRUE(fs::exists(folder / "set/thesis.tex"));
}

TEST(ShardWriter, LeavesNothingBehindWhenItIsNotFinished) {
  const test::TemporaryFolder folder;
  {
    ShardWriter writer(folder / "set", ShardKind::kImages, 1, Existing::kRefuse);
    writer.add("x", entry_bytes(1));
    EXPECT_THROW(ShardWriter(folder / "set", ShardKind::kImages, 1, Existing::kRefuse), Error)
        << "two at once";
    EXPECT_TRUE(fs::exists(folder / "set.partial/shard-00000.h5"));
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
  {
    ShardWriter empty(folder / "set", ShardKind::kImages, 1, Existing::kRefuse);
    EXPECT_THROW(empty.finish(), Error);
  }
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace stc::data
