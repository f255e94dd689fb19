// Tensors under names, as a file holds them.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace stc::models {

using NamedTensors = std::map<std::string, at::Tensor>;
/// In the order of the network: what an optimizer and a reducer walk through.
using NamedTensorList = std::vector<std::pair<std::string, at::Tensor>>;

/// Copies `given` into the tensors of `own` of the same names. Throws stc::Error (kBadData), with
/// nothing copied, naming the first of `own` that is missing or of another size; `source` is where
/// `given` comes from, `owner` what needs it ("a ResNet-18").
void copy_named(const NamedTensors& given,
                const NamedTensors& own,
                const std::string& source,
                const std::string& owner);

/// On another device, floating-point ones in another type; requires a gradient as before.
at::Tensor moved(const at::Tensor& value, at::Device device, at::ScalarType dtype);

}  // namespace stc::models
