#include <torch/csrc/distributed/c10d/Backend.hpp>

#include "dist/backends.h"
#include "dist/group_communicator.h"
#include "monitoring/check.h"

namespace stc::dist {
#ifdef STC_CUDA
namespace {

// Our own time-out comes first: it knows who is missing.
constexpr std::chrono::seconds kAboveOurs(60);

}  // namespace
#endif

std::shared_ptr<Communicator> make_communicator(const Session& session,
                                                const std::string& device_type,
                                                const CommunicatorOptions& options) {
  STC_CHECK_USAGE(device_type == "cpu" || device_type == "cuda",
                  "run.device is '{}'; expected cpu or cuda",
                  device_type);
  STC_CHECK_USAGE(options.timeout_seconds > 0,
                  "dist.timeout_seconds is {}; it must be above 0",
                  options.timeout_seconds);
  const World& world = session.world();
  if (world.size == 1) return make_solo_communicator();

  const std::chrono::milliseconds timeout(
      static_cast<std::int64_t>(options.timeout_seconds * 1000));
  auto transport = make_mpi_transport(timeout);
  if (device_type == "cpu") {
    return make_group_communicator(
        world, at::kCPU, make_host_backend(std::move(transport)), session.log());
  }
#ifdef STC_CUDA
  const at::Device device(at::kCUDA, static_cast<c10::DeviceIndex>(world.local_rank));
  return make_group_communicator(
      world, device, make_nccl_backend(*transport, world, timeout + kAboveOurs), session.log());
#else
  throw Error(Exit::kUsage,
              "run.device is cuda, but this stc was built without CUDA; build the preset `cuda`");
#endif
}

}  // namespace stc::dist
