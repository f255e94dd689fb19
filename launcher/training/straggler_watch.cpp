#include "launcher/training/straggler_watch.h"

#include <algorithm>
#include <cmath>

#include "monitoring/check.h"

namespace stc::launcher {
namespace {

std::string in_ms(double seconds) { return text("{} ms", std::llround(seconds * 1000)); }

}  // namespace

std::vector<double> arrival_lags(const std::vector<Arrival>& arrivals) {
  std::vector<double> lags;
  for (const auto& arrival : arrivals) {
    if (std::isnan(arrival.seconds)) return {};
    lags.push_back(arrival.seconds);
  }
  const double first = lags.empty() ? 0 : *std::min_element(lags.begin(), lags.end());
  for (auto& lag : lags) lag -= first;
  return lags;
}

std::optional<std::string> StragglerWatch::look(const std::vector<Arrival>& arrivals,
                                                double step_seconds) {
  const auto lags = arrival_lags(arrivals);
  if (lags.empty()) return std::nullopt;
  const auto latest = std::max_element(lags.begin(), lags.end());
  const bool late = *latest > std::max(0.02, kShare * step_seconds);
  const int rank = late ? static_cast<int>(latest - lags.begin()) : -1;
  times_ = rank == last_ ? times_ + 1 : 1;
  last_ = rank;
  if (!late || times_ != kSteps) return std::nullopt;
  const double wait = arrivals[rank].data_wait_seconds;
  const bool by_data = wait > *latest / 2;
  return text(
      "rank {} makes the others wait: it came {} after the first rank in a step of {}, and was "
      "late in the {} steps checked before; {}",
      rank,
      in_ms(*latest),
      in_ms(step_seconds),
      kSteps - 1,
      by_data
          ? text("it waited {} for data: look at its disk, or raise loader.workers", in_ms(wait))
          : "it did not wait for data: look at what else runs on its node, and at its clock");
}

}  // namespace stc::launcher
