#include "eval/scores/clip_scores.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <numeric>
#include <thread>

namespace stc::eval {

std::vector<std::size_t> longest_first(const std::vector<std::int64_t>& lengths) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return lengths[a] > lengths[b];
  });
  return order;
}

std::vector<std::string> for_each_clip(const std::vector<std::int64_t>& lengths,
                                       const ClipScoring& scoring,
                                       const std::function<void(std::size_t)>& score) {
  const auto order = longest_first(lengths);
  std::vector<std::exception_ptr> errors(order.size());
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < order.size(); i = next++) {
      try {
        score(order[i]);
      } catch (...) {
        errors[order[i]] = std::current_exception();
      }
    }
  };
  const int cores = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const int threads =
      std::min(scoring.threads > 0 ? scoring.threads : cores, static_cast<int>(order.size()));
  {
    std::vector<std::jthread> workers;
    for (int i = 1; i < threads; ++i) workers.emplace_back(work);
    work();
  }
  std::vector<std::string> failures;
  for (const auto& error : errors) {
    if (!error) continue;
    try {
      std::rethrow_exception(error);
    } catch (const Error& failure) {
      if (!scoring.keep_going || failure.exit() != Exit::kBadData) throw;
      failures.emplace_back(failure.what());
    }
  }
  return failures;
}

}  // namespace stc::eval
