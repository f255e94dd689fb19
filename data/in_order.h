// Work on many threads, results in order. Private to data.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace stc::data {

/// Calls consume(i, make(i)) for i = 0 ... count - 1, in that order and on this thread; make runs
/// on `threads` threads and must not throw. At most 8 results per thread are held. consume returns
/// false to stop.
template <typename Make, typename Consume>
void in_order(std::size_t count, int threads, const Make& make, const Consume& consume) {
  using Result = decltype(make(std::size_t{0}));
  const std::size_t window = 8 * static_cast<std::size_t>(std::max(threads, 1));
  for (std::size_t begin = 0; begin < count; begin += window) {
    const std::size_t size = std::min(window, count - begin);
    std::vector<Result> results(size);
    std::atomic<std::size_t> next = 0;
    {
      std::vector<std::jthread> workers;
      for (int worker = 0; worker < std::max(threads, 1); ++worker) {
        workers.emplace_back([&] {
          for (std::size_t i = next++; i < size; i = next++) results[i] = make(begin + i);
        });
      }
    }
    for (std::size_t i = 0; i < size; ++i) {
      if (!consume(begin + i, std::move(results[i]))) return;
    }
  }
}

}  // namespace stc::data
