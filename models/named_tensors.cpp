#include "models/named_tensors.h"

#include <ATen/ATen.h>
#include <ATen/core/grad_mode.h>

#include "monitoring/check.h"

namespace stc::models {

void copy_named(const NamedTensors& given,
                const NamedTensors& own,
                const std::string& source,
                const std::string& owner) {
  for (const auto& [name, value] : own) {
    const auto found = given.find(name);
    STC_CHECK_DATA(found != given.end(),
                   "{}: '{}' is missing; expected {} for {}",
                   source,
                   name,
                   value.sizes(),
                   owner);
    STC_CHECK_DATA(found->second.sizes() == value.sizes(),
                   "{}: '{}' is {}; expected {} for {}",
                   source,
                   name,
                   found->second.sizes(),
                   value.sizes(),
                   owner);
  }
  const at::NoGradGuard no_grad;
  for (const auto& [name, value] : own) value.copy_(given.at(name));
}

at::Tensor moved(const at::Tensor& value, at::Device device, at::ScalarType dtype) {
  const auto type = value.is_floating_point() ? dtype : value.scalar_type();
  return value.detach().to(device, type).set_requires_grad(value.requires_grad());
}

}  // namespace stc::models
