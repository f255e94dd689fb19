#include "data/loading/sampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "monitoring/check.h"

namespace stc::data {
namespace {

std::vector<std::int64_t> listed(std::uint64_t seed, std::uint64_t epoch, std::int64_t n) {
  const Permutation permutation(seed, epoch, n);
  std::vector<std::int64_t> values;
  for (std::int64_t i = 0; i < n; ++i) values.push_back(permutation(i));
  return values;
}

class PermutationOf : public testing::TestWithParam<std::int64_t> {};

TEST_P(PermutationOf, HitsEveryPlaceOnce) {
  const std::int64_t n = GetParam();
  for (std::uint64_t epoch = 0; epoch < 5; ++epoch) {
    std::vector<std::int64_t> values = listed(3, epoch, n);
    std::sort(values.begin(), values.end());
    for (std::int64_t i = 0; i < n; ++i) ASSERT_EQ(values[i], i) << "epoch " << epoch;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes,
                         PermutationOf,
                         testing::Values(1, 2, 3, 4, 5, 7, 16, 17, 64, 65, 1000, 1001, 4096, 5000));

TEST(Permutation, ChangesWithSeedAndEpoch) {
  EXPECT_EQ(listed(1, 0, 1000), listed(1, 0, 1000));
  EXPECT_NE(listed(1, 0, 1000), listed(2, 0, 1000));
  EXPECT_NE(listed(1, 0, 1000), listed(1, 1, 1000));
  EXPECT_NE(listed(1, 0, 1000), listed(1 + (std::uint64_t{1} << 32), 0, 1000));
}

TEST(Permutation, GivesAllOrdersOfThreeAboutEquallyOften) {
  std::map<std::vector<std::int64_t>, int> counts;
  for (std::uint64_t epoch = 0; epoch < 6000; ++epoch) ++counts[listed(0, epoch, 3)];
  EXPECT_EQ(counts.size(), 6U);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(Permutation, SendsEachPlaceEverywhereAboutEquallyOften) {
  constexpr int kPlaces = 50;
  constexpr int kEpochs = 10000;
  std::vector<std::vector<int>> counts(kPlaces, std::vector<int>(kPlaces));
  for (int epoch = 0; epoch < kEpochs; ++epoch) {
    const auto order = listed(9, epoch, kPlaces);
    for (int i = 0; i < kPlaces; ++i) ++counts[i][order[i]];
  }
  double chi_square = 0;
  const double expected = static_cast<double>(kEpochs) / kPlaces;
  for (const auto& row : counts)
    for (const int count : row) chi_square += (count - expected) * (count - expected) / expected;
  EXPECT_NEAR(chi_square, 49.0 * 49.0, 350);  // mean and five standard deviations of a fair draw
}

TEST(Permutation, WorksOnSetsThatNoListWouldHold) {
  const std::int64_t n = (std::int64_t{1} << 40) + 1;
  const Permutation permutation(1, 2, n);
  std::vector<std::int64_t> values;
  for (std::int64_t i = n - 1000; i < n; ++i) values.push_back(permutation(i));
  for (const std::int64_t value : values) {
    ASSERT_GE(value, 0);
    ASSERT_LT(value, n);
  }
  std::sort(values.begin(), values.end());
  EXPECT_EQ(std::adjacent_find(values.begin(), values.end()), values.end());
}

TEST(Permutation, RefusesWhatItCannotOrder) {
  EXPECT_THROW(Permutation(0, 0, 0), Error);
  const Permutation permutation(0, 0, 3);
  EXPECT_THROW(permutation(3), Error);
  EXPECT_THROW(permutation(-1), Error);
}

TEST(StreamPlace, CountsEpochsWithoutASeam) {
  EXPECT_EQ(stream_place(0, 10).epoch, 0);
  EXPECT_EQ(stream_place(9, 10).index, 9);
  EXPECT_EQ(stream_place(10, 10).epoch, 1);
  EXPECT_EQ(stream_place(10, 10).index, 0);
  EXPECT_EQ(stream_place(37, 10).epoch, 3);
  EXPECT_EQ(stream_place(37, 10).index, 7);
}

TEST(SampleRun, RanksTogetherCoverTheStreamInOrder) {
  for (const int world : {1, 2, 3, 6}) {
    std::vector<std::int64_t> covered;
    for (std::int64_t step = 4; step < 7; ++step)
      for (int rank = 0; rank < world; ++rank) {
        const SampleRun run = sample_run({12, rank, world}, step);
        for (std::int64_t i = 0; i < run.count; ++i) covered.push_back(run.first + i);
      }
    ASSERT_EQ(covered.size(), 36U);
    for (std::int64_t i = 0; i < 36; ++i) EXPECT_EQ(covered[i], 48 + i) << world << " ranks";
  }
}

}  // namespace
}  // namespace stc::data
