#include "launcher/training/method.h"

#include <ATen/ATen.h>

namespace stc::launcher {

void StepOutcome::add(const StepOutcome& part, std::int64_t count) {
  const auto add_to = [count](auto* to, const auto& from) {
    if (to->empty()) {
      for (const auto& [name, value] : from) to->emplace_back(name, at::zeros_like(value));
    }
    for (std::size_t i = 0; i < from.size(); ++i)
      (*to)[i].second += from[i].second / static_cast<double>(count);
  };
  add_to(&losses, part.losses);
  add_to(&health, part.health);
  samples.insert(samples.end(), part.samples.begin(), part.samples.end());
  data_wait_seconds += part.data_wait_seconds;
}

}  // namespace stc::launcher
