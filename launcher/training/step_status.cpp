#include "launcher/training/step_status.h"

#include <ATen/ATen.h>

namespace stc::launcher {

StepStatus of_all_ranks(dist::Communicator& control, const StepStatus& own) {
  const auto worst = at::tensor({own.finite ? 0 : 1, own.stop_signal}, at::kLong);
  control.all_reduce(worst, dist::ReduceOp::kMax);
  return {worst[0].item<std::int64_t>() == 0, static_cast<int>(worst[1].item<std::int64_t>())};
}

}  // namespace stc::launcher
