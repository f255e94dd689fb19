#include "models/batch_norm.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <algorithm>

namespace stc::models {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr double kMomentum = 0.1;
constexpr double kEpsilon = 1e-5;

struct Moments {
  at::Tensor mean;      // [C] double
  at::Tensor variance;  // [C] double, biased
  double count = 0;     // values per channel, over all ranks
};

// Sums over many values, and products of them, are taken in float if x is bfloat16 or half.
at::Tensor widened(const at::Tensor& x) {
  return at::isReducedFloatingType(x.scalar_type()) ? x.to(at::kFloat) : x;
}

// Each rank's mean and variance come from ATen's fast kernel in x's dtype; only the combination
// needs double.
Moments moments_over_ranks(const at::Tensor& x, const OverRanks& ranks) {
  const auto [mean, variance] = at::batch_norm_update_stats(widened(x), {}, {}, 0.0);
  const auto channels = x.size(1);
  const auto values = x.numel() / channels;
  const auto count = static_cast<double>(values);
  const auto m = mean.to(at::kDouble);
  const auto total = at::cat(
      {m * count, (variance.to(at::kDouble) + m * m) * count, at::full({1}, count, m.options())});
  ranks.sum(total);
  const double all = total[2 * channels].item<double>();
  const auto all_mean = total.slice(0, 0, channels) / all;
  const auto square = total.slice(0, channels, 2 * channels) / all;
  return {all_mean, (square - all_mean * all_mean).clamp_min(0), all};
}

void move_running(const BatchNorm& norm, const Moments& moments) {
  const double unbiased = moments.count / std::max(1.0, moments.count - 1);
  const auto mean = moments.mean.to(norm.running_mean.scalar_type());
  const auto variance = (moments.variance * unbiased).to(norm.running_var.scalar_type());
  norm.running_mean.mul_(1 - kMomentum).add_(mean, kMomentum);
  norm.running_var.mul_(1 - kMomentum).add_(variance, kMomentum);
}

at::Tensor per_channel(const at::Tensor& values, const at::Tensor& like) {
  return values.to(like.scalar_type()).reshape({1, -1, 1, 1});
}

// The context of a function keeps values alive only as IValues.
struct HeldRanks : torch::CustomClassHolder {
  explicit HeldRanks(OverRanks value) : ranks(std::move(value)) {}
  OverRanks ranks;
};

void hold(AutogradContext* context, const OverRanks& ranks) {
  context->saved_data["ranks"] = c10::IValue::make_capsule(c10::make_intrusive<HeldRanks>(ranks));
}

void sum_over_held(AutogradContext* context, const at::Tensor& tensor) {
  const auto held = context->saved_data["ranks"].toCapsule();
  static_cast<HeldRanks*>(held.get())->ranks.sum(tensor);
}

// On the CPU. With the moments of all ranks as "running" statistics, ATen's evaluation kernels do
// the element-wise work.
class HostSyncBatchNorm : public torch::autograd::Function<HostSyncBatchNorm> {
 public:
  static at::Tensor forward(AutogradContext* context,
                            const at::Tensor& x,
                            const at::Tensor& weight,
                            const at::Tensor& bias,
                            const BatchNorm* norm,
                            const OverRanks* ranks) {
    const Moments moments = moments_over_ranks(x, *ranks);
    move_running(*norm, moments);
    const auto mean = moments.mean.to(weight.scalar_type());
    const auto variance = moments.variance.to(weight.scalar_type());
    context->save_for_backward({x, weight, mean, variance});
    context->saved_data["count"] = moments.count;
    hold(context, *ranks);
    return std::get<0>(
        at::native_batch_norm(x, weight, bias, mean, variance, false, kMomentum, kEpsilon));
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &variance = saved[3];
    const double count = context->saved_data["count"].toDouble();
    const auto grad = grads[0].contiguous();
    auto [grad_x, grad_weight, grad_bias] = at::native_batch_norm_backward(
        grad, x, weight, mean, variance, {}, {}, false, kEpsilon, {true, true, true});
    // grad_x so far treats the moments as constants; what flows through them needs the sums over
    // all ranks.
    const auto channels = x.size(1);
    const auto sums = at::cat({grad_weight.to(at::kDouble), grad_bias.to(at::kDouble)});
    sum_over_held(context, sums);
    const auto inverse = (variance.to(at::kDouble) + kEpsilon).rsqrt();
    const auto scale = weight.to(at::kDouble) * inverse / count;
    const auto slope = scale * inverse * sums.slice(0, 0, channels);
    const auto shift = scale * sums.slice(0, channels, 2 * channels) - slope * mean.to(at::kDouble);
    auto whole = widened(grad_x);
    whole.addcmul_(widened(x), per_channel(slope, whole), -1).sub_(per_channel(shift, whole));
    return {whole.to(x.scalar_type()), grad_weight, grad_bias, {}, {}};
  }
};

// Row r: what rank r gives. A sum with zeros is exact.
at::Tensor gather_rows(const at::Tensor& row, const OverRanks& ranks) {
  auto rows = at::zeros({ranks.size, row.size(0)}, row.options());
  rows[ranks.rank].copy_(row);
  ranks.sum(rows);
  return rows;
}

// On a GPU, by ATen's kernels for it: few launches, and the host waits for none. (The evaluation
// kernels of the other form refuse channels_last there, and maps of one cell.)
class DeviceSyncBatchNorm : public torch::autograd::Function<DeviceSyncBatchNorm> {
 public:
  static at::Tensor forward(AutogradContext* context,
                            const at::Tensor& given,
                            const at::Tensor& weight,
                            const at::Tensor& bias,
                            const BatchNorm* norm,
                            const OverRanks* ranks) {
    const auto x = given.contiguous(given.suggest_memory_format());
    const auto channels = x.size(1);
    const auto [own_mean, own_inverse] = at::batch_norm_stats(x, kEpsilon);
    const auto count = at::full({1}, x.numel() / channels, own_mean.options());
    const auto rows = gather_rows(at::cat({own_mean, own_inverse, count}), *ranks);
    const auto counts = rows.select(1, 2 * channels).contiguous();
    const auto [mean, inverse] =
        at::batch_norm_gather_stats_with_counts(x,
                                                rows.slice(1, 0, channels).contiguous(),
                                                rows.slice(1, channels, 2 * channels).contiguous(),
                                                norm->running_mean,
                                                norm->running_var,
                                                kMomentum,
                                                kEpsilon,
                                                counts);
    context->save_for_backward({x, weight, mean, inverse, counts.to(at::kInt)});
    hold(context, *ranks);
    return at::batch_norm_elemt(x, weight, bias, mean, inverse, kEpsilon);
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const at::Tensor &x = saved[0], &weight = saved[1], &mean = saved[2], &inverse = saved[3];
    const auto grad = grads[0].contiguous(x.suggest_memory_format());
    const auto [sum_grad, sum_product, grad_weight, grad_bias] =
        at::batch_norm_backward_reduce(grad, x, mean, inverse, weight, true, true, true);
    const auto sums = at::stack({sum_grad, sum_product});
    sum_over_held(context, sums);
    const auto grad_x = at::batch_norm_backward_elemt(
        grad, x, mean, inverse, weight, sums[0], sums[1], /*count=*/saved[4]);
    return {grad_x, grad_weight, grad_bias, {}, {}};
  }
};

}  // namespace

BatchNorm BatchNorm::initial(std::int64_t channels, double weight) {
  const auto filled = [&](double value) { return at::full({channels}, value, at::kFloat); };
  return {filled(weight), filled(0), filled(0), filled(1), at::zeros({}, at::kLong)};
}

Affine affine_of(const BatchNorm& norm) {
  const auto wide = [](const at::Tensor& value) { return value.detach().to(at::kDouble); };
  const auto scale = wide(norm.weight) * (wide(norm.running_var) + kEpsilon).rsqrt();
  return {scale, wide(norm.bias) - wide(norm.running_mean) * scale};
}

at::Tensor batch_norm(const at::Tensor& x,
                      const BatchNorm& norm,
                      BatchNormMode mode,
                      const OverRanks& ranks) {
  const bool train = mode == BatchNormMode::kTrain;
  if (train) norm.batches_tracked.add_(1);
  const auto& [weight, bias, mean, variance, tracked] = norm;
  if (train && ranks) {
    return x.is_cpu() ? HostSyncBatchNorm::apply(x, weight, bias, &norm, &ranks)
                      : DeviceSyncBatchNorm::apply(x, weight, bias, &norm, &ranks);
  }
  return at::batch_norm(
      x, weight, bias, mean, variance, train, kMomentum, kEpsilon, /*cudnn_enabled=*/true);
}

}  // namespace stc::models
