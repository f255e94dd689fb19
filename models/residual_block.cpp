#include "models/residual_block.h"

#include <ATen/ATen.h>

namespace stc::models {

at::Tensor ConvNorm::forward(const at::Tensor& x,
                             BatchNormMode mode,
                             const SumOverRanks& sum) const {
  const std::int64_t padding = weight.size(2) / 2;
  const auto y = at::conv2d(x, weight, {}, {stride, stride}, {padding, padding});
  return batch_norm(y, norm, mode, sum);
}

at::Tensor Block::forward(const at::Tensor& x, BatchNormMode mode, const SumOverRanks& sum) const {
  at::Tensor y = chain.front().forward(x, mode, sum);
  for (std::size_t i = 1; i < chain.size(); ++i) y = chain[i].forward(y.relu_(), mode, sum);
  return y.add_(shortcut ? shortcut->forward(x, mode, sum) : x).relu_();
}

}  // namespace stc::models
