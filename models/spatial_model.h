// Step 1: MoCo v2 (docs/method.md 1): a query encoder, its momentum copy, and the queue of keys.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "models/contrastive.h"
#include "models/resnet.h"

namespace stc::models {

struct SpatialOptions {
  std::int64_t dimension = 128;     ///< of the embedding
  std::int64_t queue_size = 65536;  ///< keys
  double momentum = 0.999;          ///< of the key encoder: k <- momentum k + (1 - momentum) q
  double temperature = 0.2;
};

/// ResNet trunk, global average pool, then the MLP head: Linear(C, C), ReLU, Linear(C, dimension).
class Embedder {
 public:
  Embedder(int depth, std::int64_t dimension, std::uint64_t seed);
  /// images [n, 3, S, S] -> [n, dimension], batch norm in train mode over this call's images.
  at::Tensor forward(const at::Tensor& images) const;

  ResNet trunk;
  NamedTensorList head;                ///< head.0.weight, head.0.bias, head.2.weight, head.2.bias
  NamedTensorList parameters() const;  ///< the trunk's and the head's
};

/// How the key images travel. Each rank encodes images that are not its own, so that batch norm
/// cannot give the match away (shuffle-BN); in a world of one the batch is permuted and normalised
/// in groups.
struct KeyExchange {
  std::int64_t groups = 1;  ///< batch norm groups of one rank's shuffled batch
  /// Own images -> the images to encode here.
  std::function<at::Tensor(const at::Tensor&)> shuffle;
  /// Keys encoded here -> keys of all ranks, in sample order.
  std::function<at::Tensor(const at::Tensor&)> collect;
  std::int64_t own_first = 0;  ///< this rank's first row in collect()'s result
};

class SpatialModel {
 public:
  SpatialModel(int depth, const SpatialOptions& options, std::uint64_t seed);

  /// The loss of one step or of one of its micro-batches. query, key: uint8 RGB [n, 3, S, S]. The
  /// first call of a step moves the key encoder (docs/method.md 1.3, 2).
  ContrastiveLoss loss(const at::Tensor& query, const at::Tensor& key, const KeyExchange& exchange);
  /// After a step's last backward: its keys enter the queue, in sample order.
  void enqueue();

  const SpatialOptions& options() const { return options_; }
  Embedder query;
  Embedder key;
  KeyQueue queue;

  /// query.head.*, key.*, queue, queue_pointer.
  NamedTensors method_state() const;
  void load_method_state(const NamedTensors& state, const std::string& source);
  void to(at::Device device);
  void set_arithmetic(const Arithmetic& arithmetic);

 private:
  void move_key_encoder();

  SpatialOptions options_;
  std::vector<at::Tensor> fresh_keys_;  // of each micro-batch: [ranks, n, dimension]
};

/// uint8 RGB [..., 3, H, W] -> float32, normalised by ImageNet's mean and standard deviation.
at::Tensor normalise_rgb(const at::Tensor& images);

}  // namespace stc::models
