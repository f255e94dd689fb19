// The parts of a ResNet: a convolution with its batch norm, and a block of them with a shortcut.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/batch_norm.h"
#include "models/named_tensors.h"

namespace stc::models {

/// A convolution without bias, padded by half its kernel, and the batch norm after it.
struct ConvNorm {
  std::string conv_name, norm_name;  ///< torchvision's: "layer1.0.conv1", "layer1.0.bn1"
  std::int64_t stride = 1;
  at::Tensor weight;  ///< [out, in, k, k]
  BatchNorm norm;

  at::Tensor forward(const at::Tensor& x, BatchNormMode mode, const SumOverRanks& sum) const;

  NamedTensorList parameters() const;
  NamedTensorList buffers() const;
  void to(at::Device device, at::ScalarType dtype);
};

/// relu(chain(x) + shortcut(x)), ReLU between the links of the chain as well.
struct Block {
  std::vector<ConvNorm> chain;
  std::optional<ConvNorm> shortcut;  ///< absent: x itself

  at::Tensor forward(const at::Tensor& x, BatchNormMode mode, const SumOverRanks& sum) const;
};

}  // namespace stc::models
