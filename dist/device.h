// Which device a program computes on; never silently another one.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>

#include "dist/communicator.h"

namespace stc::dist {

/// "cpu", or "cuda": the GPU with index `local_rank`, which becomes this process's current one;
/// "auto" is cuda if a GPU is usable, else cpu. Throws stc::Error (kUsage) for another word, when
/// this build or machine has no CUDA, and when the node has fewer GPUs than ranks.
at::Device choose_device(const std::string& asked, int local_rank);

/// The same on all ranks: when they would choose differently or one of them cannot, all throw. A
/// collective.
at::Device choose_device(const std::string& asked, Communicator& host_ranks);

std::string device_word(at::Device device);  ///< "cpu" or "cuda"

}  // namespace stc::dist
