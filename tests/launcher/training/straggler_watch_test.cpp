#include "launcher/training/straggler_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace stc::launcher {
namespace {

using ::testing::AllOf;
using ::testing::DoubleNear;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::vector<Arrival> kEven{{0.1, 0}, {0.105, 0}, {0.1, 0}};
const std::vector<Arrival> kLateByData{{0.1, 0}, {0.1, 0}, {0.4, 0.29}};
const std::vector<Arrival> kLateByCompute{{0.1, 0}, {0.4, 0.01}, {0.1, 0}};

TEST(ArrivalLags, AreCountedFromTheFirstRank) {
  EXPECT_THAT(arrival_lags({{0.3, 0}, {0.1, 0}, {0.15, 0}}),
              ElementsAre(DoubleNear(0.2, 1e-12), 0, DoubleNear(0.05, 1e-12)));
}

TEST(StragglerWatch, IsQuietWhereRanksAreEven) {
  StragglerWatch watch;
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(watch.look(kEven, 1));
}

TEST(StragglerWatch, NamesARankThatIsLateAgainAndAgainOnce) {
  StragglerWatch watch;
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(watch.look(kLateByData, 1));
  EXPECT_THAT(watch.look(kLateByData, 1).value_or(""),
              AllOf(HasSubstr("rank 2 "), HasSubstr("300 ms after"), HasSubstr("290 ms for data")));
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(watch.look(kLateByData, 1));
}

TEST(StragglerWatch, TellsAgainAfterARecovery) {
  StragglerWatch watch;
  for (int i = 0; i < 6; ++i) watch.look(kLateByCompute, 1);
  watch.look(kEven, 1);
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(watch.look(kLateByCompute, 1));
  EXPECT_THAT(watch.look(kLateByCompute, 1).value_or(""),
              AllOf(HasSubstr("rank 1 "), HasSubstr("did not wait for data")));
}

TEST(StragglerWatch, LatenessThatChangesRankIsNoStraggler) {
  StragglerWatch watch;
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(watch.look(i % 2 ? kLateByData : kLateByCompute, 1));
}

TEST(StragglerWatch, AShareOfALongStepIsAllowed) {
  StragglerWatch watch;
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(watch.look(kLateByData, 4));
}

// On a GPU: by how much shorter the rank's collectives lasted than those of the ranks it kept
// waiting.
TEST(StragglerWatch, NamesTheRankWhoseCollectivesWaitForNoOther) {
  StragglerWatch watch;
  const std::vector<Arrival> throttled{{-0.5, 0}, {-0.1, 0}, {-0.49, 0}};
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(watch.look(throttled, 1));
  EXPECT_THAT(watch.look(throttled, 1).value_or(""),
              AllOf(HasSubstr("rank 1 "), HasSubstr("400 ms after"), HasSubstr("at its clock")));
}

TEST(StragglerWatch, AStepThatARankDoesNotKnowYetChangesNothing) {
  StragglerWatch watch;
  auto unknown = kEven;
  unknown[2].seconds = NAN;
  EXPECT_TRUE(arrival_lags(unknown).empty());
  for (int i = 0; i < 4; ++i) EXPECT_FALSE(watch.look(kLateByData, 1));
  EXPECT_FALSE(watch.look(unknown, 1));
  EXPECT_TRUE(watch.look(kLateByData, 1));
}

}  // namespace
}  // namespace stc::launcher
