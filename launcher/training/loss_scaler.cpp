#include "launcher/training/loss_scaler.h"

#include <ATen/ATen.h>

#include <algorithm>

namespace stc::launcher {
namespace {

constexpr std::int64_t kGrowAfter = 2000;
constexpr double kLargest = 1 << 24;

}  // namespace

void LossScaler::update(bool finite) {
  if (!on_) return;
  if (!finite) {
    ++skipped_;
    good_ = 0;
    scale_ = std::max(1.0, scale_ / 2);
    return;
  }
  skipped_ = 0;
  if (++good_ < kGrowAfter) return;
  good_ = 0;
  scale_ = std::min(kLargest, scale_ * 2);
}

at::Tensor LossScaler::state() const {
  return at::tensor({scale_, static_cast<double>(good_), static_cast<double>(skipped_)},
                    at::kDouble);
}

void LossScaler::load(const at::Tensor& state) {
  scale_ = state[0].item<double>();
  good_ = static_cast<std::int64_t>(state[1].item<double>());
  skipped_ = static_cast<std::int64_t>(state[2].item<double>());
}

}  // namespace stc::launcher
