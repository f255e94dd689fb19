#include "models/upsampling.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <map>
#include <mutex>
#include <tuple>

namespace stc::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// [from, to]: row i is what cell i alone gives to the `to` pixels of a line. Each is made once.
at::Tensor interpolation(std::int64_t from, std::int64_t to, const at::TensorOptions& options) {
  using Key = std::tuple<std::int64_t, std::int64_t, at::ScalarType, std::string>;
  static std::mutex mutex;
  // Never freed: at the end of the process the device may be gone before it.
  static auto& made = *new std::map<Key, at::Tensor>();
  const Key key{from, to, at::typeMetaToScalarType(options.dtype()), options.device().str()};
  const std::lock_guard lock(mutex);
  auto& matrix = made[key];
  if (!matrix.defined())
    matrix = at::upsample_linear1d(at::eye(from, options).unsqueeze(0), {to}, false).squeeze(0);
  return matrix;
}

class Upsample : public torch::autograd::Function<Upsample> {
 public:
  static at::Tensor forward(AutogradContext* context, const at::Tensor& maps, std::int64_t side) {
    context->saved_data["height"] = maps.size(-2);
    context->saved_data["width"] = maps.size(-1);
    return at::upsample_bilinear2d(maps, {side, side}, false);
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto& grad = grads[0];
    const auto height = context->saved_data["height"].toInt();
    const auto width = context->saved_data["width"].toInt();
    const auto options = grad.options().requires_grad(false);
    const auto rows = interpolation(height, grad.size(-2), options);
    const auto columns = interpolation(width, grad.size(-1), options);
    return {at::matmul(rows, at::matmul(grad, columns.t())), at::Tensor()};
  }
};

}  // namespace

at::Tensor upsample_bilinear(const at::Tensor& maps, std::int64_t side) {
  return Upsample::apply(maps, side);
}

}  // namespace stc::models
