// Which device a run computes on; never another one in silence.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

namespace stc::dist {

/// Throws stc::Error (kUsage) where "cuda" is asked for and this build or machine has none. "cpu"
/// always passes.
void require_device(const std::string& device);

/// "cpu" and "cuda" as they are (checked); "auto" becomes cuda where a GPU is usable, else cpu.
std::string choose_device(const std::string& asked);

/// The same, with the GPU of this rank on its node. Throws stc::Error (kUsage) where the node has
/// fewer GPUs than ranks.
at::Device device_of_rank(const std::string& asked, int local_rank);

}  // namespace stc::dist
