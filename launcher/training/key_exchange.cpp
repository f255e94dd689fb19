#include "launcher/training/key_exchange.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "data/random.h"

namespace stc::launcher {
namespace {

// On a GPU from page-locked memory, so that the host does not wait for the device.
at::Tensor as_index(const std::vector<std::int64_t>& rows, at::Device device) {
  const auto memory = at::TensorOptions(at::kLong).pinned_memory(!device.is_cpu());
  const auto index = at::empty({std::ssize(rows)}, memory);
  std::copy(rows.begin(), rows.end(), index.mutable_data_ptr<std::int64_t>());
  return index.to(device, /*non_blocking=*/true);
}

// What one rank sends and receives. Place p of the shuffled batch holds row order[p]; rank r
// encodes places r * rows ... A sender orders its rows by place, so a receiver knows which row
// came from which rank without extra messages.
struct Route {
  std::vector<std::int64_t> sent_rows;  // own rows, in the order sent
  std::vector<std::int64_t> send_counts, receive_counts;
  std::vector<std::int64_t> place_of_arrival;  // own place p is arrival place_of_arrival[p]

  Route(const std::vector<std::int64_t>& order, std::int64_t rows, int rank, int size)
      : send_counts(size), receive_counts(size), place_of_arrival(rows) {
    for (std::int64_t place = 0; place < std::ssize(order); ++place) {
      if (order[place] / rows != rank) continue;
      sent_rows.push_back(order[place] % rows);
      ++send_counts[place / rows];
    }
    std::vector<std::int64_t> next(size);
    for (std::int64_t p = 0; p < rows; ++p) ++receive_counts[order[rank * rows + p] / rows];
    std::exclusive_scan(
        receive_counts.begin(), receive_counts.end(), next.begin(), std::int64_t{0});
    for (std::int64_t p = 0; p < rows; ++p)
      place_of_arrival[p] = next[order[rank * rows + p] / rows]++;
  }
};

}  // namespace

std::vector<std::int64_t> key_permutation(std::uint64_t seed,
                                          std::int64_t step,
                                          std::int64_t rows) {
  data::CounterRandom random(seed, data::Purpose::kKeyShuffle, 0, static_cast<std::uint64_t>(step));
  std::vector<std::int64_t> order(rows);
  std::iota(order.begin(), order.end(), 0);
  for (std::int64_t i = rows - 1; i > 0; --i) std::swap(order[i], order[random.integer(0, i)]);
  return order;
}

models::KeyExchange make_key_exchange(dist::Communicator& world,
                                      std::uint64_t seed,
                                      std::int64_t step,
                                      std::int64_t rows,
                                      std::int64_t groups) {
  const auto order = key_permutation(seed, step, rows * world.size());
  models::KeyExchange exchange;
  exchange.groups = world.size() == 1 ? groups : 1;
  exchange.own_first = world.rank() * rows;
  exchange.shuffle = [&world, order, rows](const at::Tensor& images) {
    const Route route(order, rows, world.rank(), world.size());
    const auto sent = images.index_select(0, as_index(route.sent_rows, images.device()));
    const auto arrived = world.all_to_all(sent, route.send_counts, route.receive_counts);
    return arrived.index_select(0, as_index(route.place_of_arrival, images.device()));
  };
  exchange.collect = [&world, order](const at::Tensor& keys) {
    std::vector<std::int64_t> place_of_row(order.size());  // the inverse permutation
    for (std::size_t place = 0; place < order.size(); ++place) place_of_row[order[place]] = place;
    return world.all_gather(keys).index_select(0, as_index(place_of_row, keys.device()));
  };
  return exchange;
}

}  // namespace stc::launcher
