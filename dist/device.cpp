#include "dist/device.h"

#include <ATen/ATen.h>
#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "dist/run_together.h"
#include "monitoring/check.h"

namespace stc::dist {
namespace {

at::Device device_of_rank(const std::string& asked, int local_rank) {
  STC_CHECK_USAGE(asked == "cpu" || asked == "cuda" || asked == "auto",
                  "device '{}'; expected cpu, cuda or auto",
                  asked);
  if (asked == "cpu" || (asked == "auto" && !at::hasCUDA())) return at::kCPU;
  STC_CHECK_USAGE(
      at::hasCUDA(),
      "device 'cuda' was asked for, but this stc was built without CUDA or no GPU driver is found; "
      "use cpu, or build the preset 'cuda' and run `stc doctor` on the node");
  // NOLINTNEXTLINE(bugprone-signed-char-misuse): a count of GPUs is small and not negative
  const int gpus = at::detail::getCUDAHooks().deviceCount();
  STC_CHECK_USAGE(local_rank < gpus,
                  "rank {} of this node has no GPU of its own, there are {}; start at most one "
                  "rank per GPU, or give --device cpu",
                  local_rank,
                  gpus);
  const at::Device device(at::kCUDA, static_cast<c10::DeviceIndex>(local_rank));
  c10::impl::VirtualGuardImpl(device.type()).setDevice(device);
  return device;
}

}  // namespace

at::Device choose_device(const std::string& asked) { return device_of_rank(asked, 0); }

at::Device choose_device(const std::string& asked, Communicator& host_ranks) {
  at::Device device = at::kCPU;
  run_on_all_ranks(host_ranks, [&] { device = device_of_rank(asked, host_ranks.local_rank()); });
  const auto on_gpu = at::full({1}, device.is_cpu() ? 0 : 1, at::kLong);
  host_ranks.all_reduce(on_gpu);
  const auto gpus = on_gpu.item<std::int64_t>();
  run_on_root(host_ranks, [&] {
    STC_CHECK_USAGE(gpus == 0 || gpus == host_ranks.size(),
                    "device 'auto': {} of {} ranks found a GPU; give cpu or cuda to all of them",
                    gpus,
                    host_ranks.size());
  });
  return device;
}

void synchronise(at::Device device) {
  if (!device.is_cpu())
    c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
}

std::string device_word(at::Device device) {
  return c10::DeviceTypeName(device.type(), /*lower_case=*/true);
}

}  // namespace stc::dist
