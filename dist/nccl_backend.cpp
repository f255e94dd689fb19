#include <c10/cuda/CUDAFunctions.h>

#include <array>
#include <cstring>
#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "dist/backends.h"
#include "dist/cores.h"
#include "dist/group_communicator.h"

namespace stc::dist {
namespace {

/// Where rank 0's store listens.
struct Address {
  std::array<char, 256> host{};
  std::uint16_t port = 0;
};

/// Rank 0 opens a store on a free port and tells the others over MPI, so there is no port to choose
/// or to collide on.
c10::intrusive_ptr<c10d::Store> open_store(Transport& transport,
                                           const World& world,
                                           std::chrono::milliseconds timeout) {
  c10d::TCPStoreOptions options;
  options.timeout = timeout;
  options.waitWorkers = false;
  c10::intrusive_ptr<c10d::TCPStore> store;
  Address address;
  if (world.rank == 0) {
    const std::string host = world.local_size == world.size ? "127.0.0.1" : host_name();
    std::strncpy(address.host.data(), host.c_str(), address.host.size() - 1);
    options.port = 0;
    options.isServer = true;
    store = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", options);
    address.port = store->getPort();
  }
  transport.broadcast(Bytes(reinterpret_cast<std::byte*>(&address), sizeof(address)), 0);
  if (world.rank != 0) {
    options.port = address.port;
    store = c10::make_intrusive<c10d::TCPStore>(address.host.data(), options);
  }
  return store;
}

}  // namespace

c10::intrusive_ptr<c10d::Backend> make_nccl_backend(Transport& transport,
                                                    const World& world,
                                                    std::chrono::milliseconds timeout) {
  check_gpu_for_each_rank(host_name(), c10::cuda::device_count(), world.local_size);
  c10::cuda::set_device(static_cast<c10::DeviceIndex>(world.local_rank));
  auto options = c10d::ProcessGroupNCCL::Options::create();
  options->timeout = timeout;
  return c10::make_intrusive<c10d::ProcessGroupNCCL>(
      open_store(transport, world, timeout), world.rank, world.size, options);
}

}  // namespace stc::dist
