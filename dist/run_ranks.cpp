#include <exception>
#include <mutex>
#include <thread>
#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "dist/backends.h"
#include "dist/collective_log.h"
#include "dist/group_communicator.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

// Below CTest's own limit, so that a deadlock is reported.
constexpr std::chrono::seconds kTimeout(30);

std::shared_ptr<Communicator> make_member(int rank,
                                          int ranks,
                                          std::unique_ptr<Transport> transport) {
  World world;
  world.rank = world.local_rank = rank;
  world.size = world.local_size = ranks;
  return make_group_communicator(
      world, at::kCPU, make_host_backend(std::move(transport)), std::make_shared<CollectiveLog>());
}

}  // namespace

void run_ranks(int ranks, const std::function<void(Communicator&)>& body) {
  STC_CHECK(ranks >= 1, "run_ranks of {} ranks", ranks);
  if (ranks == 1) {
    body(*make_solo_communicator());
    return;
  }
  auto transports = make_thread_transports(ranks, kTimeout);
  std::mutex mutex;
  std::exception_ptr first;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      // Destroyed after the error is stored: leaving makes the others fail, and their errors must
      // come second.
      const auto world = make_member(rank, ranks, std::move(transports[rank]));
      try {
        body(*world);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (!first) first = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

}  // namespace stc::dist
