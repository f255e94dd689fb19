#include "dist/shared_reduction.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <thread>
#include <vector>

#include "monitoring/check.h"

namespace stc::dist {
namespace {

using testing::HasSubstr;

std::shared_ptr<std::byte> zeros(std::size_t bytes) {
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(4096, bytes));
  std::memset(memory, 0, bytes);
  return {memory, [](std::byte* whole) { std::free(whole); }};
}

/// body(rank, reduction) on a thread for each rank; rethrows rank 0's error.
template <typename Body>
void run_members(int ranks, const SharedReduction::WhileWaiting& while_waiting, const Body& body) {
  const auto memory = zeros(SharedReduction::memory_bytes(ranks));
  std::vector<std::thread> threads;
  std::vector<std::exception_ptr> errors(ranks);
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      SharedReduction member(memory, rank, ranks, while_waiting);
      try {
        body(rank, member);
      } catch (...) {
        errors[rank] = std::current_exception();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  if (errors[0]) std::rethrow_exception(errors[0]);
}

at::Tensor values_of(int rank, std::int64_t elements, at::ScalarType type) {
  const auto index = at::arange(elements, at::kDouble);
  return (at::sin(index * 0.7 + 3 * rank) * 50 + 60).to(type);
}

// The slow twin: one addition after the other, rounded once.
at::Tensor sum_of(int ranks, std::int64_t elements, at::ScalarType type) {
  const bool is_short = type == at::kBFloat16 || type == at::kHalf;
  auto sum = values_of(0, elements, type).to(is_short ? at::kFloat : type);
  for (int rank = 1; rank < ranks; ++rank)
    sum += values_of(rank, elements, type).to(sum.scalar_type());
  return sum.to(type);
}

void reduce(SharedReduction& member, const at::Tensor& values) {
  member.all_reduce(values.data_ptr(), values.numel(), values.scalar_type(), ReduceOp::kSum);
}

class SharedReductionOverRanks : public testing::TestWithParam<int> {};

// Lengths of nothing, of a small tensor, of a piece, and of many pieces, in an order in which each
// follows each: a slot that is still read must not be overwritten.
TEST_P(SharedReductionOverRanks, SumsInRankOrderWhateverCameBefore) {
  const int ranks = GetParam();
  const std::vector<std::int64_t> lengths = {
      5, 700001, 1, 0, 131072, 3, 400000, 131073, 7, 900000, 2, 2, 2, 600000};
  run_members(
      ranks,
      [](auto) {},
      [&](int rank, SharedReduction& member) {
        for (const auto type : {at::kFloat, at::kDouble, at::kBFloat16}) {
          for (const auto length : lengths) {
            const auto values = values_of(rank, length, type);
            reduce(member, values);
            EXPECT_TRUE(at::equal(values, sum_of(ranks, length, type)))
                << length << " of " << c10::toString(type) << ", rank " << rank;
          }
        }
      });
}

INSTANTIATE_TEST_SUITE_P(Worlds, SharedReductionOverRanks, testing::Values(2, 3, 4));

TEST(SharedReduction, SaysWhatDiffersBetweenRanks) {
  try {
    run_members(
        2,
        [](auto) {},
        [](int rank, SharedReduction& member) {
          const auto values = at::zeros({3 + rank});
          reduce(member, values);
        });
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(),
                HasSubstr("rank 1 reduces 4 elements of Float, this rank 3 of Float"));
  }
}

TEST(SharedReduction, DoesNotWaitForARankThatLeft) {
  try {
    run_members(
        2,
        [](auto) {},
        [](int rank, SharedReduction& member) {
          if (rank == 1) return member.leave();
          reduce(member, at::zeros({100000}));
        });
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.exit(), Exit::kLostRank);
    EXPECT_THAT(error.what(), HasSubstr("rank 1 left"));
  }
}

TEST(SharedReduction, IsAskedWhileItWaitsWhetherItStillShould) {
  const auto give_up = [](auto) { throw Error(Exit::kLostRank, "too late"); };
  EXPECT_THROW(run_members(2,
                           give_up,
                           [](int rank, SharedReduction& member) {
                             if (rank == 0) reduce(member, at::zeros({10}));
                           }),
               Error);
}

}  // namespace
}  // namespace stc::dist
