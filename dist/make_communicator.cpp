#include <ATen/ATen.h>

#include <exception>
#include <mutex>
#include <thread>
#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "dist/backends.h"
#include "dist/group_communicator.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

class SoloCommunicator : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 1; }
  int local_rank() const override { return 0; }
  int local_size() const override { return 1; }
  std::string host() const override { return host_name(); }
  std::int64_t bytes_sent() const override { return 0; }

  void all_reduce(at::Tensor, ReduceOp) override {}
  std::function<void()> start_all_reduce(at::Tensor, ReduceOp) override {
    return [] {};
  }
  void broadcast(at::Tensor, int) override {}
  void barrier() override {}
  void set_timeout(double) override {}

  // New memory and no gradient, as with more ranks.
  at::Tensor all_gather(const at::Tensor& tensor) override {
    check_rows("all_gather", tensor);
    return tensor.detach().clone();
  }

  at::Tensor all_to_all(const at::Tensor& rows,
                        const std::vector<std::int64_t>& send_rows,
                        const std::vector<std::int64_t>& receive_rows) override {
    check_blocks(rows, send_rows, receive_rows, 1);
    STC_CHECK(send_rows == receive_rows,
              "all_to_all of one rank sends {} rows to itself and expects {}",
              send_rows[0],
              receive_rows[0]);
    return rows.detach().clone();
  }
};

// Below CTest's own limit, so that a deadlock is reported.
constexpr std::chrono::seconds kThreadTimeout(30);

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

std::shared_ptr<Communicator> make_communicator(const Session& session,
                                                at::Device device,
                                                const CommunicatorOptions& options) {
  STC_CHECK_USAGE(options.timeout_seconds > 0,
                  "dist.timeout_seconds is {}; it must be above 0",
                  options.timeout_seconds);
  const World& world = session.world();
  if (world.size == 1) return std::make_shared<SoloCommunicator>();

  const std::chrono::milliseconds timeout(
      static_cast<std::int64_t>(options.timeout_seconds * 1000));
  auto transport = make_mpi_transport(timeout);
  if (device.is_cpu()) {
    return make_group_communicator(
        world, device, make_host_backend(std::move(transport)), session.log());
  }
#ifdef STC_CUDA
  constexpr std::chrono::seconds kAboveOurs(60);  // ours comes first: it knows who is missing
  return make_group_communicator(
      world,
      device,
      make_nccl_backend(*transport, world, timeout + kAboveOurs, options.high_priority),
      session.log());
#else
  throw Error(Exit::kUsage,
              "run.device is cuda, but this stc was built without CUDA; build the preset `cuda`");
#endif
}

void run_ranks(int ranks, const std::function<void(Communicator&)>& body) {
  STC_CHECK(ranks >= 1, "run_ranks of {} ranks", ranks);
  if (ranks == 1) return body(*std::make_shared<SoloCommunicator>());
  auto transports = make_thread_transports(ranks, kThreadTimeout);
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
