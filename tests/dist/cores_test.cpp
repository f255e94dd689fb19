#include "dist/cores.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <thread>

#include "monitoring/check.h"

namespace stc::dist {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<int> first_cores(int count) {
  std::vector<int> cores(count);
  std::iota(cores.begin(), cores.end(), 0);
  return cores;
}

TEST(Cores, AreReadAsLinuxWritesThem) {
  EXPECT_THAT(parse_cores("0-2,5,8-9\n"), ElementsAre(0, 1, 2, 5, 8, 9));
  EXPECT_THAT(parse_cores("7"), ElementsAre(7));
  EXPECT_THAT(parse_cores(""), IsEmpty());
  for (const auto* wrong : {"a", "3-1", "1-", "-2", "1;2"})
    EXPECT_THROW(parse_cores(wrong), Error) << wrong;
}

TEST(Cores, OfRanksWithoutGpusAreEqualParts) {
  const std::vector<std::string> none(2);
  EXPECT_THAT(cores_of_rank(first_cores(4), none, 0), ElementsAre(0, 1));
  EXPECT_THAT(cores_of_rank(first_cores(4), none, 1), ElementsAre(2, 3));
  const std::vector<int> given{4, 6, 7, 9, 11};  // what a job was given, odd and with holes
  EXPECT_THAT(cores_of_rank(given, none, 0), ElementsAre(4, 6));
  EXPECT_THAT(cores_of_rank(given, none, 1), ElementsAre(7, 9, 11));
}

// Two sockets of eight cores, two GPUs at each.
TEST(Cores, OfRanksWithGpusAreNearThem) {
  const std::vector<std::string> near{"0-7", "0-7", "8-15", "8-15"};
  EXPECT_THAT(cores_of_rank(first_cores(16), near, 1), ElementsAre(4, 5, 6, 7));
  EXPECT_THAT(cores_of_rank(first_cores(16), near, 2), ElementsAre(8, 9, 10, 11));
}

TEST(Cores, NearTheGpuButNotAllowedAreNotTaken) {
  EXPECT_THAT(cores_of_rank(first_cores(4), {"8-15", "8-15"}, 1), ElementsAre(2, 3));
  EXPECT_THAT(cores_of_rank(first_cores(12), {"8-15"}, 0), ElementsAre(8, 9, 10, 11));
}

TEST(Cores, FewerThanTwoARankAreLeftToAll) {
  EXPECT_THAT(cores_of_rank(first_cores(2), std::vector<std::string>(2), 0), IsEmpty());
  EXPECT_THAT(cores_of_rank(first_cores(3), std::vector<std::string>(4), 3), IsEmpty());
}

TEST(Cores, EveryAllowedOneBelongsToOneRank) {
  for (int ranks = 1; ranks <= 6; ++ranks) {
    std::vector<int> all;
    for (int r = 0; r < ranks; ++r) {
      const auto own = cores_of_rank(first_cores(13), std::vector<std::string>(ranks), r);
      all.insert(all.end(), own.begin(), own.end());
    }
    EXPECT_EQ(all, first_cores(13));
  }
}

TEST(Cores, BindingHoldsForThreadsStartedAfterIt) {
  std::thread([] {
    const int one = allowed_cores().back();
    bind_to({one});
    std::vector<int> inherited;
    std::thread([&] { inherited = allowed_cores(); }).join();
    EXPECT_THAT(inherited, ElementsAre(one));
  }).join();
}

}  // namespace
}  // namespace stc::dist
