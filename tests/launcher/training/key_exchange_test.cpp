#include "launcher/training/key_exchange.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <mutex>
#include <set>

#include "dist/collective_log.h"
#include "dist/group_communicator.h"

namespace stc::launcher {
namespace {

class KeyExchangeOverRanks : public testing::TestWithParam<int> {};

TEST_P(KeyExchangeOverRanks, KeysComeBackInSampleOrderAndImagesTravel) {
  const int ranks = GetParam();
  const std::int64_t rows = 6;
  std::mutex mutex;
  std::set<std::int64_t> encoded;
  dist::run_ranks(ranks, [&](dist::Communicator& world) {
    const auto exchange = make_key_exchange(world, 7, 3, rows, 2);
    // An image is its global row number, and so is its key.
    const auto own =
        at::arange(world.rank() * rows, (world.rank() + 1) * rows, at::kByte).view({rows, 1, 1, 1});
    const auto shuffled = exchange.shuffle(own.expand({rows, 3, 2, 2}).contiguous());
    ASSERT_EQ(shuffled.sizes(), (std::vector<std::int64_t>{rows, 3, 2, 2}));
    const auto keys = exchange.collect(shuffled.to(at::kFloat).mean({2, 3}));
    EXPECT_TRUE(at::equal(keys.select(1, 0), at::arange(ranks * rows, at::kFloat)));
    EXPECT_EQ(exchange.own_first, world.rank() * rows);
    const std::lock_guard lock(mutex);
    const auto order = key_permutation(7, 3, ranks * rows);
    for (std::int64_t p = 0; p < rows; ++p) {
      const auto row = shuffled[p][0][0][0].item<std::int64_t>();
      EXPECT_EQ(row, order[world.rank() * rows + p])
          << "place " << p << " of rank " << world.rank();
      encoded.insert(row);
    }
  });
  EXPECT_EQ(std::ssize(encoded), ranks * rows);
}

INSTANTIATE_TEST_SUITE_P(Worlds, KeyExchangeOverRanks, testing::Values(1, 2, 3, 4));

// The images travel once, as bytes, and never to a rank that does not encode them.
TEST(KeyExchange, SendsNoMoreThanTheBytesOfTheBatch) {
  const std::int64_t rows = 6, bytes = rows * 3 * 8 * 8;
  dist::run_ranks(3, [&](dist::Communicator& world) {
    const auto log = dist::collective_log_of(world);
    const auto exchange = make_key_exchange(world, 7, 3, rows, 2);
    exchange.shuffle(at::zeros({rows, 3, 8, 8}, at::kByte));
    const auto totals = log->totals();
    ASSERT_EQ(totals.size(), 1U);
    EXPECT_EQ(totals.at("all_to_all").calls, 1);
    EXPECT_LE(totals.at("all_to_all").bytes, bytes);
    exchange.collect(at::zeros({rows, 16}));
    EXPECT_EQ(log->totals().at("all_gather").bytes, rows * 16 * 4);
  });
}

TEST(KeyPermutation, DependsOnSeedAndStepAlone) {
  EXPECT_EQ(key_permutation(1, 2, 32), key_permutation(1, 2, 32));
  EXPECT_NE(key_permutation(1, 2, 32), key_permutation(1, 3, 32));
  EXPECT_NE(key_permutation(1, 2, 32), key_permutation(2, 2, 32));
}

}  // namespace
}  // namespace stc::launcher
