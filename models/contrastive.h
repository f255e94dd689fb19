// The contrastive head of step 1 (MoCo v2; docs/method.md 1.2, 1.3): queue, logits, loss.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

namespace stc::models {

struct ContrastiveLoss {
  at::Tensor loss;      ///< scalar: mean cross-entropy of the rows, the true key being entry 0
  at::Tensor logits;    ///< [n, 1 + K]
  at::Tensor accuracy;  ///< scalar in [0, 1], detached: rows whose true key has the largest logit
};

/// query, key [n, D] as the encoders give them (normalised here; the key gets no gradient); queue
/// [K, D], unit rows, the i-th oldest write at row i. temperature > 0. Differentiable in query.
ContrastiveLoss contrastive_loss(const at::Tensor& query,
                                 const at::Tensor& key,
                                 const at::Tensor& queue,
                                 double temperature);

/// The last `size` keys of all ranks. Equal on all ranks as long as all see the same keys.
struct KeyQueue {
  at::Tensor keys;           ///< [K, D], unit rows
  std::int64_t pointer = 0;  ///< the row that is written next

  /// Random unit rows, float32 on the CPU, decided by `seed`.
  static KeyQueue random(std::int64_t size, std::int64_t dimension, std::uint64_t seed);

  /// Overwrites the oldest rows by normalised `keys` [N, D], wrapping at the end. N <= size. Call
  /// after the loss is built (its logits are a copy, so backward still sees the old rows' products;
  /// the rows themselves are saved by autograd, hence after backward).
  void push(const at::Tensor& keys);
};

}  // namespace stc::models
