#include "dist/broadcast_state.h"

namespace stc::dist {

void broadcast_state(Communicator& host_ranks,
                     Communicator& device_ranks,
                     const std::map<std::string, at::Tensor>& state) {
  for (const auto& [name, tensor] : state)
    (tensor.is_cpu() ? host_ranks : device_ranks).broadcast(tensor, 0);
}

}  // namespace stc::dist
