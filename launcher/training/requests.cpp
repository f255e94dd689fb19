#include "launcher/training/requests.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace stc::launcher {

void Requests::add(const Requests& other) {
  stop_signal = std::max(stop_signal, other.stop_signal);
  save = save || other.save;
}

PendingRequests::PendingRequests(dist::Communicator& host_ranks, const Requests& own)
    : most_(at::tensor({own.stop_signal, own.save ? 1 : 0}, at::kLong)),
      arrive_(host_ranks.start_all_reduce(most_, dist::ReduceOp::kMax)) {}

Requests PendingRequests::wait() const {
  arrive_();
  return {static_cast<int>(most_[0].item<std::int64_t>()), most_[1].item<std::int64_t>() != 0};
}

}  // namespace stc::launcher
