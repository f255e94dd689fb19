#include "data/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <vector>

#include "monitoring/check.h"

namespace stc::data {
namespace {

using Words = std::array<std::uint32_t, 4>;

// The known-answer vectors that the authors of Philox publish with Random123 (kat_vectors,
// philox4x32 10).
TEST(Philox, GivesThePublishedAnswers) {
  EXPECT_EQ(philox4x32({0, 0, 0, 0}, {0, 0}),
            (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

std::vector<std::uint64_t> first_numbers(CounterRandom random) {
  std::vector<std::uint64_t> numbers;
  for (int i = 0; i < 5; ++i) numbers.push_back(random.bits());
  return numbers;
}

TEST(CounterRandom, IsAFunctionOfItsKey) {
  EXPECT_EQ(first_numbers({7, Purpose::kClipView, 3, 11}),
            first_numbers({7, Purpose::kClipView, 3, 11}));
}

TEST(CounterRandom, SharesNoNumberBetweenKeysThatDifferInOnePart) {
  std::set<std::uint64_t> seen;
  std::size_t drawn = 0;
  const auto draw = [&](CounterRandom random) {
    for (const std::uint64_t number : first_numbers(random)) {
      seen.insert(number);
      ++drawn;
    }
  };
  draw({7, Purpose::kClipView, 3, 11});
  draw({8, Purpose::kClipView, 3, 11});
  draw({7 + (std::uint64_t{1} << 32), Purpose::kClipView, 3, 11});
  draw({7, Purpose::kClipStart, 3, 11});
  draw({7, Purpose::kClipView, 4, 11});
  draw({7, Purpose::kClipView, 3, 12});
  draw({7, Purpose::kClipView, 3, 11 + (std::uint64_t{1} << 32)});
  EXPECT_EQ(seen.size(), drawn);
}

TEST(CounterRandom, RefusesKeysThatWouldRepeatOthers) {
  EXPECT_THROW(CounterRandom(0, Purpose::kOrder, std::uint64_t{1} << 32, 0), Error);
  EXPECT_THROW(CounterRandom(0, Purpose::kOrder, 0, std::uint64_t{1} << 56), Error);
}

TEST(CounterRandom, UniformNumbersFillTheirRangeEvenly) {
  CounterRandom random(1, Purpose::kClipView, 0, 0);
  constexpr int kDraws = 40000;
  std::vector<int> counts(10);
  double sum = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = random.uniform(2.0, 4.0);
    ASSERT_GE(value, 2.0);
    ASSERT_LT(value, 4.0);
    ++counts[static_cast<int>((value - 2.0) * 5)];
    sum += value;
  }
  const int expected = kDraws / 10;
  for (const int count : counts) EXPECT_NEAR(count, expected, 300);  // five standard deviations
  EXPECT_NEAR(sum / kDraws, 3.0, 0.015);
}

TEST(CounterRandom, IntegersCoverTheirRangeWithBothEnds) {
  CounterRandom random(1, Purpose::kClipView, 0, 1);
  std::map<std::int64_t, int> counts;
  for (int i = 0; i < 14000; ++i) ++counts[random.integer(-3, 3)];
  EXPECT_EQ(counts.size(), 7U);
  EXPECT_EQ(counts.begin()->first, -3);
  for (const auto& [value, count] : counts) EXPECT_NEAR(count, 2000, 210) << value;
  EXPECT_EQ(random.integer(5, 5), 5);
  EXPECT_THROW(random.integer(5, 4), Error);
}

TEST(CounterRandom, ChanceHasItsProbability) {
  CounterRandom random(1, Purpose::kClipView, 0, 2);
  int hits = 0;
  for (int i = 0; i < 10000; ++i) hits += random.chance(0.2);
  EXPECT_NEAR(hits, 2000, 200);
  EXPECT_FALSE(random.chance(0.0));
  EXPECT_TRUE(random.chance(1.0));
}

}  // namespace
}  // namespace stc::data
