#include "launcher/training/finite_guard.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "dist/run_together.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

constexpr std::size_t kMostNamed = 64;

std::string listed(const NotFinite& own) {
  std::string out;
  for (const auto& [name, value] : own.losses) out += text(" {}={}", name, value);
  const auto named = std::min(own.samples.size(), kMostNamed);
  out += "; samples";
  for (std::size_t i = 0; i < named; ++i) out += text("{}{}", i == 0 ? " " : ", ", own.samples[i]);
  return named < own.samples.size() ? out + ", ..." : out;
}

// Name of the first loss that is not finite, a term before the total; empty if all are.
std::string first_not_finite(const NotFinite& own) {
  std::string found;
  for (const auto& [name, value] : own.losses) {
    if (!std::isfinite(value) && (found.empty() || found == "total")) found = name;
  }
  return found;
}

}  // namespace

void stop_not_finite(dist::Communicator& control, const NotFinite& own) {
  const auto term = first_not_finite(own);
  const auto terms = at::full({1}, term.empty() ? 0 : 1, at::kLong);
  control.all_reduce(terms, dist::ReduceOp::kMax);
  const bool is_a_loss = terms.item<std::int64_t>() != 0;
  dist::run_on_all_ranks(control, [&] {
    if (is_a_loss && term.empty()) return;
    const auto what = is_a_loss ? text("loss '{}' is not finite", term)
                                : text("the gradient's norm is {}, while all losses are finite",
                                       own.gradient_norm);
    const auto before =
        own.skipped > 0 ? text(", as in the {} steps before it, which were skipped", own.skipped)
                        : "";
    throw Error(Exit::kFailed,
                text("step {}, rank {}: {}{} (this rank's losses:{}); the weights are as the step "
                     "before left them. Lower optimizer.learning_rate, or look at these samples",
                     own.step,
                     control.rank(),
                     what,
                     before,
                     listed(own)));
  });
  throw Error(Exit::kFailed, "ranks do not agree on what is not finite");
}

}  // namespace stc::launcher
