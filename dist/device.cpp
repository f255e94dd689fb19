#include "dist/device.h"

#include <ATen/Context.h>
#include <ATen/detail/CUDAHooksInterface.h>

#include "monitoring/check.h"

namespace stc::dist {

void require_device(const std::string& device) {
  if (device != "cuda") return;
  STC_CHECK_USAGE(
      at::hasCUDA(),
      "device 'cuda' was asked for, but this stc was built without CUDA or no GPU driver is found; "
      "use cpu, or build the preset 'cuda' and run `stc doctor` on the node");
}

std::string choose_device(const std::string& asked) {
  require_device(asked);
  if (asked != "auto") return asked;
  return at::hasCUDA() ? "cuda" : "cpu";
}

at::Device device_of_rank(const std::string& asked, int local_rank) {
  if (choose_device(asked) == "cpu") return at::kCPU;
  // NOLINTNEXTLINE(bugprone-signed-char-misuse): a count of GPUs is small and not negative
  const int gpus = at::detail::getCUDAHooks().deviceCount();
  STC_CHECK_USAGE(local_rank < gpus,
                  "rank {} of this node has no GPU of its own, there are {}; start at most one "
                  "rank a GPU, or give --device cpu",
                  local_rank,
                  gpus);
  return {at::kCUDA, static_cast<c10::DeviceIndex>(local_rank)};
}

}  // namespace stc::dist
