#include "dist/cores.h"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <numeric>
#include <thread>

#include "monitoring/check.h"
#include "tests/support/temporary_folder.h"

namespace stc::dist {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::vector<int> range(int first, int end) {
  std::vector<int> cores(end - first);
  std::iota(cores.begin(), cores.end(), first);
  return cores;
}

TEST(CoreList, IsReadAsTheKernelWritesIt) {
  EXPECT_THAT(parse_core_list("0-3,8,10-11\n"), ElementsAre(0, 1, 2, 3, 8, 10, 11));
  EXPECT_THAT(parse_core_list("7"), ElementsAre(7));
  EXPECT_THAT(parse_core_list("5,1-2,2"), ElementsAre(1, 2, 5));
  EXPECT_THAT(parse_core_list(""), IsEmpty());
  EXPECT_THAT(parse_core_list("\n"), IsEmpty());
}

TEST(CoreList, OfAnotherFormIsAnErrorThatShowsIt) {
  for (const char* list : {"0-", "a", "1,,2", "-3", "0x1"}) {
    try {
      parse_core_list(list);
      FAIL() << list;
    } catch (const Error& error) {
      EXPECT_THAT(error.what(), HasSubstr(list));
    }
  }
}

TEST(CoreList, NearADeviceComesFromItsPciAddress) {
  const test::TemporaryFolder sysfs;
  const std::string device = sysfs.path() + "/bus/pci/devices/0000:3b:00.0";
  std::filesystem::create_directories(device);
  std::ofstream(device + "/local_cpulist") << "0-15,32-47\n";
  EXPECT_EQ(core_list_near("0000:3b:00.0", sysfs.path()), "0-15,32-47");
  EXPECT_EQ(core_list_near("0000:ff:00.0", sysfs.path()), "");
}

// Slow twin: each core is given to the rank whose share of the line it falls into.
TEST(CoresOfRank, AreContiguousEqualAndLeaveNoneOut) {
  for (int cores = 1; cores <= 20; ++cores) {
    for (int ranks = 1; ranks <= cores; ++ranks) {
      std::vector<int> all;
      for (int rank = 0; rank < ranks; ++rank) {
        const auto mine = cores_of_rank(range(4, 4 + cores), rank, ranks);
        EXPECT_GE(std::ssize(mine), cores / ranks);
        EXPECT_LE(std::ssize(mine), cores / ranks + 1);
        all.insert(all.end(), mine.begin(), mine.end());
      }
      EXPECT_EQ(all, range(4, 4 + cores)) << cores << " cores, " << ranks << " ranks";
    }
  }
}

TEST(CoresOfRank, WithFewerCoresThanRanksAreOneSharedCore) {
  for (int rank = 0; rank < 4; ++rank) {
    EXPECT_THAT(cores_of_rank({3, 9}, rank, 4), ElementsAre(rank < 2 ? 3 : 9));
  }
}

TEST(CoresOfRank, OfAHostWithTwoSocketsAreThoseOfTheGpusSocket) {
  // 8 GPUs; GPUs 0 to 3 hang on the first socket, whose cores are 0-7 and their twins 16-23.
  std::vector<std::string> near(4, "0-7,16-23");
  near.resize(8, "8-15,24-31");
  const auto allowed = range(0, 32);
  EXPECT_THAT(cores_of_rank(allowed, near, 0), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(cores_of_rank(allowed, near, 3), ElementsAre(20, 21, 22, 23));
  EXPECT_THAT(cores_of_rank(allowed, near, 4), ElementsAre(8, 9, 10, 11));
  EXPECT_THAT(cores_of_rank(allowed, near, 7), ElementsAre(28, 29, 30, 31));
}

TEST(CoresOfRank, AreOnlyThoseThatTheJobMayUse) {
  const std::vector<std::string> near = {"0-7", "0-7", "8-15"};
  const auto allowed = range(4, 12);
  EXPECT_THAT(cores_of_rank(allowed, near, 0), ElementsAre(4, 5));
  EXPECT_THAT(cores_of_rank(allowed, near, 1), ElementsAre(6, 7));
  EXPECT_THAT(cores_of_rank(allowed, near, 2), ElementsAre(8, 9, 10, 11));
}

TEST(CoresOfRank, WhereNoneIsNearAreAShareOfAll) {
  const auto allowed = range(0, 8);
  EXPECT_THAT(cores_of_rank(allowed, {"32-63", ""}, 0), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(cores_of_rank(allowed, {"32-63", ""}, 1), ElementsAre(4, 5, 6, 7));
}

TEST(CoresOfRank, ThatIsNotOnThisHostIsAnError) {
  EXPECT_THROW(cores_of_rank({0, 1}, 2, 2), Error);
  EXPECT_THROW(cores_of_rank({}, 0, 1), Error);
  EXPECT_THROW(cores_of_rank({0}, std::vector<std::string>{"0"}, 1), Error);
}

TEST(AllowedCores, OfThisProcessAreAtLeastOneAndAscend) {
  const auto cores = allowed_cores();
  EXPECT_FALSE(cores.empty());
  EXPECT_TRUE(std::is_sorted(cores.begin(), cores.end()));
}

TEST(GpuForEachRank, IsRefusedWhereRanksWouldShareOne) {
  check_gpu_for_each_rank("node3", 4, 4);
  check_gpu_for_each_rank("node3", 4, 2);
  for (const int gpus : {0, 3}) {
    try {
      check_gpu_for_each_rank("node3", gpus, 4);
      FAIL() << "no error";
    } catch (const Error& error) {
      EXPECT_EQ(error.exit(), Exit::kUsage);
      EXPECT_THAT(error.what(), HasSubstr(text("node3 has {} GPUs", gpus)));
      EXPECT_THAT(error.what(), HasSubstr("for 4 ranks; NCCL hangs when two ranks share a GPU"));
    }
  }
}

TEST(Cores, BindingHoldsForThreadsStartedAfterIt) {
  std::thread([] {
    const int one = allowed_cores().back();
    bind_to({one});
    std::vector<int> inherited;
    std::thread([&] { inherited = allowed_cores(); }).join();
    EXPECT_EQ(inherited, std::vector<int>{one});
  }).join();
}

}  // namespace
}  // namespace stc::dist
