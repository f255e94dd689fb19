#include "launcher/training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace stc::launcher {

double learning_rate(const ScheduleOptions& options,
                     std::int64_t step,
                     std::int64_t steps,
                     std::int64_t batch_size,
                     std::int64_t epoch_size) {
  double progress = static_cast<double>(step) / static_cast<double>(steps);
  if (options.per_epoch) {
    const auto epochs =
        std::max<std::int64_t>(1, (steps * batch_size + epoch_size - 1) / epoch_size);
    const auto epoch = step * batch_size / epoch_size;
    progress = static_cast<double>(epoch) / static_cast<double>(epochs);
  }
  const double lowest = options.learning_rate * options.final_ratio;
  const double cosine =
      lowest + 0.5 * (options.learning_rate - lowest) * (1 + std::cos(std::numbers::pi * progress));
  const auto warmup = std::min(options.warmup_steps, steps);
  if (step >= warmup) return cosine;
  const double missing = 1 - static_cast<double>(step) / static_cast<double>(warmup);
  return cosine * (1 - missing * (1 - options.warmup_ratio));
}

}  // namespace stc::launcher
