#include <c10/cuda/CUDAFunctions.h>

#include <torch/csrc/distributed/c10d/ProcessGroupNCCL.hpp>

#include "dist/backends.h"
#include "dist/cores.h"
#include "dist/group_communicator.h"

namespace stc::dist {

c10::intrusive_ptr<c10d::Backend> make_nccl_backend(Transport& transport,
                                                    const World& world,
                                                    std::chrono::milliseconds timeout,
                                                    bool high_priority) {
  check_gpu_for_each_rank(host_name(), c10::cuda::device_count(), world.local_size);
  auto options = c10d::ProcessGroupNCCL::Options::create(high_priority);
  options->timeout = timeout;
  auto store =
      open_rank_store(world.rank, world.local_size == world.size, timeout, [&](Bytes bytes) {
        transport.broadcast(bytes, 0);
      });
  auto backend = c10::make_intrusive<c10d::ProcessGroupNCCL>(
      std::move(store), world.rank, world.size, options);
  backend->enableCollectivesTiming();  // for the time on the device, which the log adds up
  return backend;
}

}  // namespace stc::dist
