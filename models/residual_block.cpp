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

NamedTensorList ConvNorm::parameters() const {
  return {{conv_name + ".weight", weight},
          {norm_name + ".weight", norm.weight},
          {norm_name + ".bias", norm.bias}};
}

NamedTensorList ConvNorm::buffers() const {
  return {{norm_name + ".running_mean", norm.running_mean},
          {norm_name + ".running_var", norm.running_var},
          {norm_name + ".num_batches_tracked", norm.batches_tracked}};
}

void ConvNorm::to(at::Device device, at::ScalarType dtype) {
  for (auto* value : {&weight,
                      &norm.weight,
                      &norm.bias,
                      &norm.running_mean,
                      &norm.running_var,
                      &norm.batches_tracked})
    *value = moved(*value, device, dtype);
}

at::Tensor Block::forward(const at::Tensor& x, BatchNormMode mode, const SumOverRanks& sum) const {
  at::Tensor y = chain.front().forward(x, mode, sum);
  for (std::size_t i = 1; i < chain.size(); ++i) y = chain[i].forward(y.relu_(), mode, sum);
  return y.add_(shortcut ? shortcut->forward(x, mode, sum) : x).relu_();
}

}  // namespace stc::models
