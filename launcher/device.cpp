#include "launcher/device.h"

#include <ATen/Context.h>

#include "monitoring/check.h"

namespace stc::launcher {

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

}  // namespace stc::launcher
