#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <limits>
#include <thread>

#include "dist/collective_log.h"
#include "dist/group_communicator.h"
#include "dist/shared_counters.h"
#include "monitoring/check.h"
#include "monitoring/stopwatch.h"
#include "tests/dist/world_checks.h"

namespace stc::dist {
namespace {

using testing::HasSubstr;

// 0 and 1, fewer than ranks, one exchange, and two exchanges with uneven shares; then more than one
// segment.
constexpr std::int64_t kSizes[] = {0, 1, 2, 1000, 20'003};
constexpr std::int64_t kSizesWithSegments[] = {0, 1, 2, 1000, 20'003, 1'100'001};

/// Small whole numbers, so that every type holds every sum exactly.
at::Tensor whole_numbers(int rank, std::int64_t elements, at::ScalarType type) {
  return ((at::arange(elements, at::kLong) * 3 + 7 * rank) % 11).to(type);
}

at::Tensor combined(int ranks, std::int64_t elements, at::ScalarType type, ReduceOp op) {
  at::Tensor result = whole_numbers(0, elements, at::kLong);
  for (int rank = 1; rank < ranks; ++rank) {
    const at::Tensor other = whole_numbers(rank, elements, at::kLong);
    if (op == ReduceOp::kSum) result = result + other;
    if (op == ReduceOp::kMax) result = at::maximum(result, other);
    if (op == ReduceOp::kMin) result = at::minimum(result, other);
  }
  return result.to(type);
}

void all_reduce_combines_every_type(Communicator& world, at::Device device) {
  for (const auto type :
       {at::kFloat, at::kDouble, at::kLong, at::kInt, at::kByte, at::kBFloat16, at::kHalf}) {
    for (const auto op : {ReduceOp::kSum, ReduceOp::kMax, ReduceOp::kMin}) {
      for (const std::int64_t elements : kSizes) {
        at::Tensor values = whole_numbers(world.rank(), elements, type).to(device);
        world.all_reduce(values, op);
        EXPECT_TRUE(at::equal(values.cpu(), combined(world.size(), elements, type, op)))
            << c10::toString(type) << " x " << elements;
      }
    }
  }
}

void all_reduce_adds_in_the_order_of_ranks(Communicator& world, at::Device) {
  const auto fractions = [](int rank, std::int64_t elements) {
    return at::sin(at::arange(elements, at::kFloat) * 0.37 + rank) * std::pow(10.0, rank);
  };
  for (const std::int64_t elements : kSizesWithSegments) {
    at::Tensor expected = fractions(0, elements);
    for (int rank = 1; rank < world.size(); ++rank) expected = expected + fractions(rank, elements);
    at::Tensor values = fractions(world.rank(), elements);
    world.all_reduce(values);
    EXPECT_TRUE(at::equal(values, expected)) << elements << " elements";
  }
}

void bfloat16_is_added_in_float_and_rounded_once(Communicator& world, at::Device) {
  // 256 + 1 + 1 + ... in bfloat16 (8 bits) would stay 256.
  at::Tensor values = at::full({3}, world.rank() == 0 ? 256.0 : 1.0, at::kBFloat16);
  world.all_reduce(values);
  const float sum = 256.0F + static_cast<float>(world.size() - 1);
  EXPECT_TRUE(at::equal(values, at::full({3}, sum, at::kFloat).to(at::kBFloat16)));
}

void a_nan_of_any_rank_shows_in_maximum_and_minimum(Communicator& world, at::Device) {
  for (const auto op : {ReduceOp::kMax, ReduceOp::kMin, ReduceOp::kSum}) {
    for (int bad = 0; bad < world.size(); ++bad) {
      const double value = world.rank() == bad ? std::numeric_limits<double>::quiet_NaN() : 1.0;
      at::Tensor values = at::full({1}, value, at::kDouble);
      world.all_reduce(values, op);
      EXPECT_TRUE(at::isnan(values).all().item<bool>());
    }
  }
}

void broadcast_gives_all_ranks_the_roots_values(Communicator& world, at::Device device) {
  for (int root = 0; root < world.size(); ++root) {
    for (const std::int64_t elements : kSizes) {
      at::Tensor values = whole_numbers(world.rank(), elements, at::kFloat).to(device);
      world.broadcast(values, root);
      EXPECT_TRUE(at::equal(values.cpu(), whole_numbers(root, elements, at::kFloat)));
    }
  }
}

void all_gather_stacks_rows_in_the_order_of_ranks(Communicator& world, at::Device device) {
  for (const std::int64_t rows : {0, 1, 1000}) {
    std::vector<at::Tensor> all;
    for (int rank = 0; rank < world.size(); ++rank) {
      all.push_back(whole_numbers(rank, rows * 3, at::kFloat).reshape({rows, 3}));
    }
    const at::Tensor got = world.all_gather(all[world.rank()].to(device));
    EXPECT_TRUE(at::equal(got.cpu(), at::cat(all)));
  }
}

/// What rank `from` sends to rank `to`: some blocks are empty, all differ.
at::Tensor block(int from, int to, std::int64_t scale) {
  const std::int64_t rows = scale * ((from + 2 * to) % 3);
  return at::full({rows, 2}, 10 * from + to, at::kByte);
}

void all_to_all_delivers_each_block_to_its_rank(Communicator& world, at::Device device) {
  for (const std::int64_t scale : {0, 1, 1000}) {
    std::vector<at::Tensor> sent;
    std::vector<at::Tensor> expected;
    std::vector<std::int64_t> send_rows;
    std::vector<std::int64_t> receive_rows;
    for (int peer = 0; peer < world.size(); ++peer) {
      sent.push_back(block(world.rank(), peer, scale));
      expected.push_back(block(peer, world.rank(), scale));
      send_rows.push_back(sent.back().size(0));
      receive_rows.push_back(expected.back().size(0));
    }
    const at::Tensor got = world.all_to_all(at::cat(sent).to(device), send_rows, receive_rows);
    EXPECT_TRUE(at::equal(got.cpu(), at::cat(expected)));
  }
}

void results_of_gathers_are_new_memory(Communicator& world, at::Device device) {
  const at::Tensor mine = at::ones({2, 2}, device);
  world.all_gather(mine).zero_();
  world.all_to_all(mine.slice(0, 0, 0),
                   std::vector<std::int64_t>(world.size(), 0),
                   std::vector<std::int64_t>(world.size(), 0));
  EXPECT_TRUE(at::equal(mine.cpu(), at::ones({2, 2})));
}

template <typename Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

void wrong_tensors_are_named_and_the_world_goes_on(Communicator& world, at::Device) {
  const at::Tensor transposed = at::ones({2, 3}).t();
  EXPECT_THAT(message_of([&] { world.all_gather(transposed); }), HasSubstr("all_gather"));
  EXPECT_THAT(message_of([&] { world.all_gather(at::ones({})); }), HasSubstr("rows [n, ...]"));
  const std::vector<std::int64_t> too_many(world.size() + 1, 0);
  EXPECT_THAT(message_of([&] {
                world.all_to_all(at::ones({0, 2}), too_many, too_many);
              }),
              HasSubstr("all_to_all of 0 rows"));
  if (world.size() > 1) {
    EXPECT_THAT(message_of([&] { world.all_reduce(transposed); }), HasSubstr("contiguous"));
    EXPECT_THAT(message_of([&] { world.all_reduce(at::ones({2}, at::kBool)); }),
                HasSubstr("all_reduce of Bool [2]"));
    EXPECT_THAT(message_of([&] { world.broadcast(at::ones({2}), world.size()); }),
                HasSubstr("ranks are 0 to"));
  }
  at::Tensor one = at::ones({1});
  world.all_reduce(one);
  EXPECT_EQ(one.item<double>(), world.size());
}

/// A GPU's collectives are still on their way when the call returns, and noted as complete by
/// poll().
void wait_for_all(CollectiveLog& log) {
  const Stopwatch clock;
  while (log.progress().pending && clock.seconds() < 10) {
    log.poll();
    std::this_thread::yield();
  }
}

void the_log_numbers_counts_and_stamps(Communicator& world, at::Device device) {
  const auto log = collective_log_of(world);
  if (!log) {
    EXPECT_EQ(world.size(), 1);
    EXPECT_EQ(world.bytes_sent(), 0);
    return;
  }
  world.barrier();
  const std::int64_t before = log->recent().back().number;
  const std::int64_t bytes = world.bytes_sent();
  world.all_reduce(at::ones({10}, device));
  world.broadcast(at::ones({10}, device), 0);
  world.all_gather(at::ones({5, 2}, at::kDouble).to(device));
  EXPECT_EQ(world.bytes_sent() - bytes, 40 + (world.is_root() ? 40 : 0) + 80);

  wait_for_all(*log);
  const std::vector<Collective> recent = log->recent();
  const std::vector<Collective> last(recent.end() - 3, recent.end());
  EXPECT_EQ(last[0].verb, "all_reduce");
  EXPECT_EQ(last[1].verb, "broadcast");
  EXPECT_EQ(last[2].verb, "all_gather");
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(last[i].number, before + 1 + i);
    ASSERT_TRUE(last[i].completed.has_value());
    EXPECT_GE(*last[i].completed, last[i].arrived);
  }
}

void ranks_know_their_place(Communicator& world, at::Device device) {
  EXPECT_GE(world.rank(), 0);
  EXPECT_LT(world.rank(), world.size());
  EXPECT_LT(world.local_rank(), world.local_size());
  EXPECT_EQ(world.is_root(), world.rank() == 0);
  EXPECT_FALSE(world.host().empty());
  const at::Tensor ranks = world.all_gather(at::full({1}, world.rank(), at::kLong).to(device));
  EXPECT_TRUE(at::equal(ranks.cpu(), at::arange(world.size(), at::kLong)));
}

void counters_give_each_number_once(Communicator& world, at::Device device) {
  const auto counters = open_shared_counters(world);
  constexpr int kTickets = 20;
  const auto mine = at::empty({kTickets}, at::kLong);
  for (int i = 0; i < kTickets; ++i) mine[i] = counters->add("ticket", 1);
  const auto all = world.all_gather(mine.to(device)).cpu();
  EXPECT_TRUE(at::equal(std::get<0>(all.sort()), at::arange(world.size() * kTickets)));
  EXPECT_EQ(counters->add("rank " + std::to_string(world.rank()), 5), 0);
  EXPECT_EQ(counters->add("rank " + std::to_string(world.rank()), 0), 5);
  world.barrier();
}

}  // namespace

std::vector<WorldCheck> collective_checks() {
  return {
      {"RanksKnowTheirPlace", ranks_know_their_place},
      {"AllReduceCombinesEveryType", all_reduce_combines_every_type},
      {"AllReduceAddsInTheOrderOfRanks",
       all_reduce_adds_in_the_order_of_ranks,
       Promise::kOfHostWorlds},
      {"Bfloat16IsAddedInFloatAndRoundedOnce",
       bfloat16_is_added_in_float_and_rounded_once,
       Promise::kOfHostWorlds},
      {"ANanOfAnyRankShowsInMaximumAndMinimum",
       a_nan_of_any_rank_shows_in_maximum_and_minimum,
       Promise::kOfHostWorlds},
      {"BroadcastGivesAllRanksTheRootsValues", broadcast_gives_all_ranks_the_roots_values},
      {"AllGatherStacksRowsInTheOrderOfRanks", all_gather_stacks_rows_in_the_order_of_ranks},
      {"AllToAllDeliversEachBlockToItsRank", all_to_all_delivers_each_block_to_its_rank},
      {"ResultsOfGathersAreNewMemory", results_of_gathers_are_new_memory},
      {"WrongTensorsAreNamedAndTheWorldGoesOn",
       wrong_tensors_are_named_and_the_world_goes_on,
       Promise::kOfHostWorlds},
      {"CountersGiveEachNumberOnce", counters_give_each_number_once, Promise::kOfHostWorlds},
      {"TheLogNumbersCountsAndStamps", the_log_numbers_counts_and_stamps},
  };
}

}  // namespace stc::dist
