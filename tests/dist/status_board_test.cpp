#include "dist/status_board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace stc::dist {
namespace {

using std::chrono::milliseconds;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

const SteadyTime kStart{};
constexpr double kStallSeconds = 8;

SteadyTime at_second(double seconds) {
  return kStart + milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

RankStatus computing(int rank, std::int64_t arrived) {
  RankStatus status;
  status.rank = rank;
  status.world = 4;
  status.pid = 100 + rank;
  status.host = "node" + std::to_string(rank / 2);
  status.step = 40;
  status.phase = "data wait";
  status.phase_seconds = 7;
  status.arrived = status.completed = arrived;
  return status;
}

RankStatus waiting(int rank, std::int64_t collective, double seconds) {
  RankStatus status = computing(rank, collective);
  status.phase = "backward";
  status.completed = collective - 1;
  status.verb = "all_reduce";
  status.bytes = 4096;
  status.pending_seconds = seconds;
  return status;
}

class StatusBoardTest : public ::testing::Test {
 protected:
  std::string stall_line(double second) {
    const auto stall = board_.stall(at_second(second));
    return stall ? stall->description(4) : "";
  }

  StatusBoard board_{4, {kStallSeconds, 2}, kStart};
};

TEST_F(StatusBoardTest, ARunThatMovesIsNotStalled) {
  for (int rank = 0; rank < 4; ++rank) board_.receive(waiting(rank, 10, 0.5), at_second(1));
  EXPECT_EQ(stall_line(1.5), "");
}

TEST_F(StatusBoardTest, NamesTheRankThatDidNotArriveAndWhatItDoes) {
  for (const int rank : {0, 1, 3}) board_.receive(waiting(rank, 10, 7), at_second(9));
  board_.receive(computing(2, 9), at_second(9));
  EXPECT_EQ(
      stall_line(9),
      "step 40 is stalled in collective 10 (all_reduce, 4096 bytes per rank), waiting for 7 s: 3 "
      "of 4 ranks arrived, missing rank 2 (node node1, pid 102): for 7 s in data wait of step 40 "
      "after collective 9");
}

TEST_F(StatusBoardTest, RankZeroIsNoExceptionWhenItIsMissing) {
  for (const int rank : {1, 2, 3}) board_.receive(waiting(rank, 10, 7), at_second(9));
  board_.receive(computing(0, 9), at_second(9));
  EXPECT_THAT(stall_line(9), HasSubstr("missing rank 0 (node node0"));
}

// A process that was stopped after its thread had entered the collective: it did arrive, but will
// not complete it.
TEST_F(StatusBoardTest, ARankThatArrivedAndFellSilentIsMissing) {
  board_.receive(waiting(2, 10, 0), at_second(1));
  for (const int rank : {0, 1, 3}) board_.receive(waiting(rank, 10, 7), at_second(9));
  EXPECT_THAT(stall_line(9),
              AllOf(HasSubstr("3 of 4 ranks arrived, missing rank 2"),
                    HasSubstr("silent for 8 s, was in backward of step 40, inside collective 10")));
}

TEST_F(StatusBoardTest, ARankThatWasNeverHeardFromIsMissing) {
  for (const int rank : {0, 1, 2}) board_.receive(waiting(rank, 1, 7), at_second(9));
  EXPECT_THAT(stall_line(9), HasSubstr("missing rank 3 (never heard from)"));
}

TEST_F(StatusBoardTest, IsReportedBeforeTheLimit) {
  for (const int rank : {0, 1, 3}) board_.receive(waiting(rank, 10, 5), at_second(5));
  board_.receive(computing(2, 9), at_second(6));
  EXPECT_EQ(stall_line(5.5), "");
  EXPECT_NE(stall_line(6.5), "");
}

// Ranks enqueue several collectives at once; they wait in the first that is not complete.
TEST_F(StatusBoardTest, TheCollectiveIsTheFirstThatIsNotComplete) {
  for (const int rank : {0, 1, 3}) {
    RankStatus status = waiting(rank, 10, 7);
    status.arrived = 14;
    board_.receive(status, at_second(9));
  }
  board_.receive(computing(2, 9), at_second(9));
  EXPECT_THAT(stall_line(9), AllOf(HasSubstr("collective 10 "), HasSubstr("missing rank 2")));
}

TEST_F(StatusBoardTest, WhenAllArrivedAndRespondItIsTheNetwork) {
  for (int rank = 0; rank < 4; ++rank) board_.receive(waiting(rank, 10, 7), at_second(9));
  EXPECT_THAT(stall_line(9), AllOf(HasSubstr("all 4 ranks arrived"), HasSubstr("network")));
}

TEST_F(StatusBoardTest, TheLowestRankThatWaitsReportsForAll) {
  board_.receive(computing(0, 9), at_second(9));
  for (const int rank : {1, 2, 3}) board_.receive(waiting(rank, 10, 7), at_second(9));
  EXPECT_FALSE(reports_for_all(board_, 0, 0, at_second(9)));
  EXPECT_TRUE(reports_for_all(board_, 1, 7, at_second(9)));
  EXPECT_FALSE(reports_for_all(board_, 2, 7, at_second(9)));
  // Rank 1 stops: the next one takes over.
  for (const int rank : {2, 3}) board_.receive(waiting(rank, 10, 10), at_second(12));
  EXPECT_TRUE(reports_for_all(board_, 2, 10, at_second(12)));
  EXPECT_FALSE(reports_for_all(board_, 3, 10, at_second(12)));
}

// All that its board knows of the others is what they said before it came.
TEST_F(StatusBoardTest, ARankThatHasJustArrivedReportsNoStall) {
  for (const int rank : {1, 2, 3}) board_.receive(waiting(rank, 10, 7), at_second(9));
  board_.receive(waiting(0, 10, 0.1), at_second(9.1));
  EXPECT_NE(stall_line(9.1), "");
  EXPECT_FALSE(reports_for_all(board_, 0, 0.1, at_second(9.1)));
  EXPECT_FALSE(reports_for_all(board_, 0, 0, at_second(9.1)));  // and has completed it meanwhile
  EXPECT_TRUE(reports_for_all(board_, 0, 2, at_second(9.5)));   // still there: no data moves
}

// It took part and computes: who is left in the collective reports.
TEST_F(StatusBoardTest, ARankThatDoesNotWaitLeavesTheReportToTheNext) {
  board_.receive(computing(0, 10), at_second(9));
  for (const int rank : {1, 2, 3}) board_.receive(waiting(rank, 10, 7), at_second(9));
  EXPECT_TRUE(reports_for_all(board_, 1, 7, at_second(9)));
}

// The end is for the rank that reported the beginning, whoever that was.
TEST_F(StatusBoardTest, WithoutAStallEveryRankMayReport) {
  for (int rank = 0; rank < 4; ++rank) board_.receive(computing(rank, 10), at_second(9));
  for (int rank = 0; rank < 4; ++rank) EXPECT_TRUE(reports_for_all(board_, rank, 0, at_second(9)));
}

TEST(StatusBoard, NamesAtMostEightOfMany) {
  StatusBoard board(100, {kStallSeconds, 2}, kStart);
  auto status = waiting(99, 10, 7);
  status.world = 100;
  board.receive(status, at_second(9));
  const auto line = board.stall(at_second(9))->description(100);
  EXPECT_THAT(line,
              AllOf(HasSubstr("1 of 100 ranks arrived"),
                    HasSubstr("rank 7 "),
                    Not(HasSubstr("rank 8 ")),
                    HasSubstr("and 91 more")));
}

TEST(StallReporter, ReportsAStallOnceAndItsEnd) {
  StallReporter reporter(2, kStallSeconds, kStart);
  auto late = computing(1, 9);
  auto early = waiting(0, 10, 7);
  early.world = late.world = 2;
  reporter.receive(early, at_second(10));
  reporter.receive(late, at_second(10));
  EXPECT_THAT(reporter.lines(at_second(10)), ElementsAre(HasSubstr("missing rank 1")));
  EXPECT_THAT(reporter.lines(at_second(10.2)), IsEmpty());
  late.arrived = 10;  // it comes: no news before the collective is complete
  reporter.receive(late, at_second(10.4));
  EXPECT_THAT(reporter.lines(at_second(10.5)), IsEmpty());
  late.arrived = early.completed = 11;
  late.completed = early.arrived = 11;
  early.verb.clear();
  reporter.receive(early, at_second(11));
  reporter.receive(late, at_second(11));
  EXPECT_THAT(reporter.lines(at_second(11)), ElementsAre("collective 10 completed after 8 s"));
  EXPECT_THAT(reporter.lines(at_second(11.1)), IsEmpty());
}

// Ranks that give up fall silent too; that ends no stall.
TEST(StallReporter, DoesNotTakeTheEndOfTheRanksForTheEndOfTheStall) {
  StallReporter reporter(2, kStallSeconds, kStart);
  auto late = computing(1, 8);
  auto early = waiting(0, 10, 7);
  early.world = late.world = 2;
  reporter.receive(early, at_second(10));
  reporter.receive(late, at_second(10));
  EXPECT_EQ(reporter.lines(at_second(10)).size(), 1u);
  late = waiting(1, 9, 0);  // woken up, it meets a collective that the other has left
  late.world = 2;
  reporter.receive(late, at_second(11));
  EXPECT_THAT(reporter.lines(at_second(11)), IsEmpty());
  EXPECT_THAT(reporter.lines(at_second(100)), IsEmpty());
}

TEST(RankStatus, SurvivesTheWire) {
  RankStatus sent = waiting(3, 12345, 6.5);
  sent.phase = "data wait";
  sent.ended = true;
  const auto received = decode(encode(sent, "token"), "token");
  ASSERT_TRUE(received);
  EXPECT_EQ(encode(*received, "token"), encode(sent, "token"));
  EXPECT_EQ(received->phase, "data wait");
  EXPECT_EQ(received->verb, "all_reduce");
  EXPECT_EQ(received->pending_seconds, 6.5);
}

TEST(RankStatus, OfAnotherRunOrDamagedIsNotTaken) {
  const std::string datagram = encode(computing(1, 3), "token");
  EXPECT_FALSE(decode(datagram, "other"));
  EXPECT_FALSE(decode(datagram.substr(0, datagram.size() / 2), "token"));
  EXPECT_FALSE(decode("", "token"));
  RankStatus beyond = computing(1, 3);
  beyond.rank = 4;
  EXPECT_FALSE(decode(encode(beyond, "token"), "token"));
}

}  // namespace
}  // namespace stc::dist
