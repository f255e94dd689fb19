// Batch normalisation over this rank's batch, or over the batches of all ranks (SyncBN).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace stc::models {

enum class BatchNormMode { kTrain, kEval };

/// What a layer knows of the other ranks; without a sum it is alone.
struct OverRanks {
  int rank = 0, size = 1;
  std::function<void(at::Tensor)> sum = {};  ///< in place; called by all ranks
  explicit operator bool() const { return static_cast<bool>(sum); }
};

/// What one batch norm layer holds. All are [C].
struct BatchNorm {
  at::Tensor weight;
  at::Tensor bias;
  at::Tensor running_mean;
  at::Tensor running_var;
  at::Tensor batches_tracked;  ///< int64 scalar in host memory, wherever the others are

  /// float32 on the CPU: bias and mean 0, variance 1.
  static BatchNorm initial(std::int64_t channels, double weight);
};

/// What kEval does to a channel: x * scale + shift. Both [C], in double.
struct Affine {
  at::Tensor scale, shift;
};
Affine affine_of(const BatchNorm& norm);

/// x [N, C, H, W] -> the same shape: (x - mean) / sqrt(var + 1e-5) * weight + bias. kTrain takes
/// mean and (biased) variance from the batch, that of all ranks if there are others, and moves the
/// running statistics by 0.1 (variance unbiased); kEval takes the running ones. Differentiable in
/// x, weight and bias; over ranks backward sums too, so that all ranks must run it, and
/// the gradients of weight and bias are this rank's share. Moments are combined in double on the
/// CPU; on a GPU by ATen's kernels for it, which the host does not wait for.
at::Tensor batch_norm(const at::Tensor& x,
                      const BatchNorm& norm,
                      BatchNormMode mode,
                      const OverRanks& ranks);

}  // namespace stc::models
