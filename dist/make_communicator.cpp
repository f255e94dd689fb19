#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "dist/backends.h"
#include "dist/group_communicator.h"
#include "monitoring/check.h"

namespace stc::dist {
#ifdef STC_CUDA
namespace {

// Our own time-out comes first: it knows which rank is missing.
constexpr std::chrono::seconds kAboveOurs(60);

}  // namespace
#endif

std::shared_ptr<Communicator> make_communicator(const Session& session,
                                                at::Device device,
                                                const CommunicatorOptions& options) {
  STC_CHECK_USAGE(options.timeout_seconds > 0,
                  "dist.timeout_seconds is {}; it must be above 0",
                  options.timeout_seconds);
  const World& world = session.world();
  if (world.size == 1) return make_solo_communicator();

  const std::chrono::milliseconds timeout(
      static_cast<std::int64_t>(options.timeout_seconds * 1000));
  auto transport = make_mpi_transport(timeout);
  if (device.is_cpu()) {
    return make_group_communicator(
        world, device, make_host_backend(std::move(transport)), session.log());
  }
#ifdef STC_CUDA
  return make_group_communicator(
      world, device, make_nccl_backend(*transport, world, timeout + kAboveOurs), session.log());
#else
  throw Error(Exit::kUsage,
              "run.device is cuda, but this stc was built without CUDA; build the preset `cuda`");
#endif
}

}  // namespace stc::dist
