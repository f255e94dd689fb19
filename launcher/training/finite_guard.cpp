#include "launcher/training/finite_guard.h"

#include <ATen/ATen.h>

#include <cmath>
#include <string>
#include <vector>

#include "dist/run_together.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

constexpr std::size_t kMostNamed = 64;

std::string listed(const StepOutcome& outcome) {
  std::string out;
  for (const auto& [name, value] : outcome.losses)
    out += text(" {}={}", name, value.item<double>());
  out += "; samples";
  const auto& samples = outcome.samples;
  for (std::size_t i = 0; i < samples.size() && i < kMostNamed; ++i)
    out += text("{}{}", i == 0 ? " " : ", ", samples[i]);
  return samples.size() > kMostNamed ? out + ", ..." : out;
}

// Name of the first loss that is not finite, a term before the total; empty if all are.
std::string first_not_finite(const StepOutcome& outcome) {
  std::string found;
  for (const auto& [name, value] : outcome.losses) {
    if (!std::isfinite(value.item<double>()) && (found.empty() || found == "total")) found = name;
  }
  return found;
}

}  // namespace

bool is_finite(double norm, const StepOutcome& outcome) {
  std::vector<at::Tensor> losses;
  for (const auto& [name, value] : outcome.losses) losses.push_back(value);
  return std::isfinite(norm) && at::isfinite(at::stack(losses)).all().item<bool>();
}

StepStatus of_all_ranks(dist::Communicator& control, const StepStatus& own) {
  const auto worst = at::tensor({own.finite ? 0 : 1, own.stop_signal}, at::kLong);
  control.all_reduce(worst, dist::ReduceOp::kMax);
  return {worst[0].item<std::int64_t>() == 0, static_cast<int>(worst[1].item<std::int64_t>())};
}

void stop_not_finite(dist::Communicator& control,
                     std::int64_t step,
                     double norm,
                     const StepOutcome& outcome,
                     std::int64_t skipped) {
  const auto term = first_not_finite(outcome);
  const bool is_a_loss = !of_all_ranks(control, {.finite = term.empty()}).finite;
  dist::run_on_all_ranks(control, [&] {
    if (is_a_loss && term.empty()) return;
    const auto what = is_a_loss
                          ? text("loss '{}' is not finite", term)
                          : text("the gradient's norm is {}, while all losses are finite", norm);
    const auto before =
        skipped > 0 ? text(", as in the {} steps before it, which were skipped", skipped) : "";
    throw Error(Exit::kFailed,
                text("step {}, rank {}: {}{} (this rank's losses:{}); the weights are as the step "
                     "before left them. Lower optimizer.learning_rate, or look at these samples",
                     step,
                     control.rank(),
                     what,
                     before,
                     listed(outcome)));
  });
  throw Error(Exit::kFailed, "ranks do not agree on what is not finite");
}

}  // namespace stc::launcher
