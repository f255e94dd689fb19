#include "data/shards/verify.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "data/packing/pack.h"
#include "data/shards/shard_file.h"
#include "data/shards/shard_writer.h"
#include "tests/data/pack_checks.h"
#include "tests/support/temporary_folder.h"

namespace stc::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class Verify : public testing::Test {
 protected:
  /// Ten images in several shards of at most three.
  void pack_ten() {
    std::size_t largest = 0;
    for (int i = 0; i < 10; ++i)
      largest = std::max(largest, test::write_jpeg(folder_ / text("in/{}.jpg", i), i).size());
    PackOptions options;
    options.out = folder_ / "set";
    options.shard_bytes = 2 * largest + 1;
    pack_images({folder_ / "in"}, options);
  }
  VerifySummary verify(int threads = 1) {
    lines_.clear();
    VerifyOptions options;
    options.threads = threads;
    options.on_bad = [&](const std::string& line) { lines_.push_back(line); };
    return verify_shards(folder_ / "set", options);
  }
  void flip_byte_of(const std::string& shard, std::size_t entry) {
    const auto opened = read_shard_index(shard);
    const auto& offset = opened.index.offset;
    std::fstream file(shard, std::ios::in | std::ios::out | std::ios::binary);
    const auto at = static_cast<std::streamoff>(opened.bytes_position +
                                                (offset[entry] + offset[entry + 1]) / 2);
    file.seekg(at);
    const auto byte = static_cast<char>(file.get() ^ 1);
    file.seekp(at);
    file.put(byte);
  }

  test::TemporaryFolder folder_;
  std::vector<std::string> lines_;
};

TEST_F(Verify, FindsNothingWrongWithASoundSet) {
  pack_ten();
  const auto summary = verify(2);
  EXPECT_EQ(summary.entries, 10);
  EXPECT_EQ(summary.bad, 0);
  EXPECT_EQ(summary.videos, 0);
  EXPECT_EQ(summary.digest, ShardSet::open(folder_ / "set")->digest());
  EXPECT_THAT(lines_, IsEmpty());
}

TEST_F(Verify, NamesEveryEntryWithAFlippedByteInOrder) {
  pack_ten();
  const auto second = folder_ / "set/shard-00001.h5";
  const auto first = read_shard_index(folder_ / "set/shard-00000.h5").index.size();
  flip_byte_of(folder_ / "set/shard-00000.h5", 1);
  flip_byte_of(second, 0);
  for (const int threads : {1, 3}) {
    const auto summary = verify(threads);
    EXPECT_EQ(summary.bad, 2);
    const auto start = text("{}: entry 0 ({}.jpg): its ", second, first);
    ASSERT_THAT(lines_,
                ElementsAre(StartsWith(folder_ / "set/shard-00000.h5" + ": entry 1 (1.jpg): its "),
                            StartsWith(start)));
    EXPECT_THAT(lines_[0], HasSubstr("do not match their checksum"));
  }
}

TEST_F(Verify, NamesAnEntryThatDoesNotDecodeThoughItsChecksumFits) {
  {
    ShardWriter writer(folder_ / "set", ShardKind::kImages, 1000, Existing::kRefuse);
    const auto whole = encode_jpeg(test::smooth_image(16, 16), 90);
    writer.add("good.jpg", whole);
    writer.add("cut.jpg", std::span(whole).first(whole.size() / 2));
    writer.finish();
  }
  const auto summary = verify();
  EXPECT_EQ(summary.bad, 1);
  EXPECT_THAT(lines_,
              ElementsAre(StartsWith(folder_ / "set/shard-00000.h5" +
                                     ": entry 1 (cut.jpg): damaged JPEG")));
}

TEST_F(Verify, CountsVideos) {
  for (int i = 0; i < 6; ++i) test::write_jpeg(folder_ / text("in/{}/{}.jpg", i / 3, i), i);
  PackOptions options;
  options.out = folder_ / "set";
  pack_videos({folder_ / "in"}, options);
  EXPECT_EQ(verify().videos, 2);
  flip_byte_of(folder_ / "set/shard-00000.h5", 4);
  EXPECT_EQ(verify().bad, 1);
  EXPECT_THAT(lines_, ElementsAre(HasSubstr("shard-00000.h5: entry 4 (1/4.jpg): ")));
}

TEST_F(Verify, RefusesWhatIsNoSet) {
  const auto outcome = test::outcome_of([&] { verify(); });
  EXPECT_EQ(outcome.exit, Exit::kBadData);
  EXPECT_THAT(outcome.said, HasSubstr("set: no such folder"));
}

}  // namespace
}  // namespace stc::data
