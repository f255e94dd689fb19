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
    const auto expected = text("expected {} for {}", value.sizes(), owner);
    STC_CHECK_DATA(found != given.end(), "{}: '{}' is missing; {}", source, name, expected);
    const auto sizes = found->second.sizes();
    STC_CHECK_DATA(sizes == value.sizes(), "{}: '{}' is {}; {}", source, name, sizes, expected);
  }
  const at::NoGradGuard no_grad;
  for (const auto& [name, value] : own) value.copy_(given.at(name));
}

at::Tensor moved(const at::Tensor& value, at::Device device, at::ScalarType dtype) {
  const auto type = value.is_floating_point() ? dtype : value.scalar_type();
  return value.detach().to(device, type).set_requires_grad(value.requires_grad());
}

}  // namespace stc::models
