// A state that lies on two devices, from rank 0 to all ranks.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "dist/communicator.h"

namespace stc::dist {

/// Gives the tensors of all ranks rank 0's values, in place: those on the CPU over host_ranks, the
/// others over device_ranks, since NCCL takes no tensor of another device. A collective.
void broadcast_state(Communicator& host_ranks,
                     Communicator& device_ranks,
                     const std::map<std::string, at::Tensor>& state);

}  // namespace stc::dist
