// Ranks as threads with nothing but a sum: for models, which know no ranks.
#pragma once

#include <ATen/ATen.h>

#include <barrier>
#include <functional>
#include <thread>
#include <vector>

#include "models/batch_norm.h"

namespace stc::test {

/// Runs body(ranks) on so many threads; its sum adds a tensor over them in rank order.
inline void run_with_sum(int ranks, const std::function<void(const models::OverRanks&)>& body) {
  std::vector<at::Tensor> given(ranks);
  std::barrier meet(ranks);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      const auto sum = [&, rank](at::Tensor tensor) {
        given[rank] = tensor.clone();
        meet.arrive_and_wait();
        auto total = given[0].clone();
        for (int other = 1; other < ranks; ++other) total += given[other];
        tensor.copy_(total);
        meet.arrive_and_wait();
      };
      body({rank, ranks, sum});
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace stc::test
