#include "launcher/training/method.h"

#include <ATen/ATen.h>

namespace stc::launcher {

void StepOutcome::add(const StepOutcome& part, std::int64_t count) {
  const auto share = [count](const at::Tensor& value) {
    return count == 1 ? value : value / static_cast<double>(count);
  };
  const auto add_to = [&](auto* to, const auto& from) {
    const bool is_first = to->empty();
    for (std::size_t i = 0; i < from.size(); ++i) {
      const auto& [name, value] = from[i];
      if (is_first) {
        to->emplace_back(name, share(value));
      } else {
        (*to)[i].second = (*to)[i].second + share(value);
      }
    }
  };
  add_to(&losses, part.losses);
  add_to(&health, part.health);
  samples.insert(samples.end(), part.samples.begin(), part.samples.end());
  data_wait_seconds += part.data_wait_seconds;
}

}  // namespace stc::launcher
