// ResNet-18 and -50 under torchvision's parameter names, with the strides and the stem as options.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/batch_norm.h"
#include "models/named_tensors.h"

namespace stc::models {

/// 3x3, stride 2, padding 1; average counts the padding.
enum class StemPool { kNone, kMax, kAverage };

struct ResNetOptions {
  int depth = 18;                                   ///< 18 or 50
  std::array<std::int64_t, 4> strides{1, 2, 2, 2};  ///< of the first block of each stage
  StemPool pool = StemPool::kMax;
  void check() const;  ///< throws stc::Error (kUsage) naming the rule
};

/// The student of step 2 (docs/method.md 2.4): strides 1, 2, 2, 4, no pool.
ResNetOptions student_options(int depth);
/// The teacher of step 2 and the encoder of step 1 (2.5, 1.2): strides 1, 2, 2, 2, max-pool.
ResNetOptions standard_options(int depth);
/// Features for label propagation (docs/evaluation.md): output stride 8 (strides 1, 2, 2, 1, no
/// pool) or 4 (1, 1, 1, 1, average).
ResNetOptions propagation_options(int depth, int output_stride);

/// A convolution without bias, padded by half its kernel, and the batch norm after it.
struct ConvNorm {
  std::string conv_name, norm_name;  ///< torchvision's: "layer1.0.conv1", "layer1.0.bn1"
  std::int64_t stride = 1;
  at::Tensor weight;  ///< [out, in, k, k]
  BatchNorm norm;
  at::Tensor bias{};            ///< [out]; defined: the norm is folded into the convolution
  at::Tensor reduced_weight{};  ///< defined: what forward() takes for the weight

  at::Tensor forward(const at::Tensor& x, BatchNormMode mode, const OverRanks& ranks) const;

  NamedTensorList parameters() const;
  NamedTensorList buffers() const;
  void to(at::Device device, at::ScalarType dtype);
  void fold(at::ScalarType dtype);  ///< see ResNet::folded
};

/// relu(chain(x) + shortcut(x)), ReLU between the links of the chain as well.
struct Block {
  std::vector<ConvNorm> chain;
  std::optional<ConvNorm> shortcut;  ///< absent: x itself

  at::Tensor forward(const at::Tensor& x, BatchNormMode mode, const OverRanks& ranks) const;
};

/// How the convolutions are computed; weights, batch norm's statistics and what forward() returns
/// keep their type.
struct Arithmetic {
  std::optional<at::ScalarType> reduced;  ///< autocast: at::kBFloat16 or at::kHalf
  bool channels_last = false;             ///< memory format of the maps and of the weights
};

/// A trunk: images in, feature maps out. Weights are plain tensors, so that a reducer, an optimizer
/// and a file see the same.
class ResNet {
 public:
  /// Random weights: convolutions He-normal (fan out), batch norm 1 and 0. `seed` decides all of
  /// them. zero_last: the last batch norm of each residual block starts at 0 (docs/method.md 2.4,
  /// step 2 from scratch).
  ResNet(const ResNetOptions& options, std::uint64_t seed, bool zero_last = false);

  /// images [N, 3, H, W], of the weights' dtype and device. Returns the outputs of stages
  /// `first`..`last` (1 to 4), each [N, C, h, w] after its last ReLU. Train mode normalises by the
  /// batch and moves the running statistics (momentum 0.1); with `sum` the batch is that of all
  /// ranks.
  std::vector<at::Tensor> forward(const at::Tensor& images,
                                  int first,
                                  int last,
                                  BatchNormMode mode,
                                  const OverRanks& ranks = {}) const;

  std::int64_t channels(int stage) const;  ///< of the output of stage 1 to 4
  const ResNetOptions& options() const { return options_; }

  /// In torchvision's order and names: conv1.weight, bn1.weight, ..., layer4.1.bn2.bias.
  NamedTensorList parameters() const;
  /// running_mean, running_var, num_batches_tracked of each batch norm.
  NamedTensorList buffers() const;

  /// Copies weights by name. Every parameter and buffer must be there with its shape
  /// (num_batches_tracked may be absent); "fc.*" is ignored. Throws stc::Error (kBadData) naming
  /// the first tensor that is missing, foreign or of another shape, or the depth that the weights
  /// have instead. `source` is named in the message. If no stage after `last_stage` (3 or 4) is
  /// used, layer4 may be absent as a whole, and stays as it is.
  void load(const NamedTensors& weights, const std::string& source, int last_stage = 4);
  /// Parameters and buffers, detached, not copied.
  NamedTensors state() const;

  /// Moves the floating-point tensors; before any optimizer sees them. num_batches_tracked stays in
  /// host memory, where counting costs a GPU nothing.
  void to(at::Device device, at::ScalarType dtype);
  void set_requires_grad(bool value);
  /// Lays the weights out in the memory format, so before any optimizer sees them, too.
  void set_arithmetic(const Arithmetic& arithmetic);

  /// The network in kEval mode with its weights as they are now: each batch norm is folded, in
  /// double, into the convolution before it, and the result is of type `dtype`. Its parameters are
  /// conv1.weight, conv1.bias, ..., it has no buffers, and neither trains nor loads.
  ResNet folded(at::ScalarType dtype) const;

  /// From now on forward() takes the convolutions' weights from copies in the arithmetic's shorter
  /// type, instead of making them again at each call. For weights that get no gradient; whoever
  /// changes them calls refresh_reduced_weights(), which load() does by itself.
  void keep_reduced_weights();
  void refresh_reduced_weights();  ///< without kept copies: nothing

 private:
  template <typename Net, typename Visit>
  static void each_layer(Net& net, const Visit& visit);  // visit(ConvNorm), in torchvision's order
  NamedTensorList all_of(NamedTensorList (ConvNorm::*part)() const) const;

  ResNetOptions options_;
  Arithmetic arithmetic_;
  ConvNorm stem_;
  std::array<std::vector<Block>, 4> stages_;
};

/// Depth (18 or 50) that a set of torchvision-named weights belongs to; throws stc::Error
/// (kBadData) if it is neither.
int depth_of(const NamedTensors& weights, const std::string& source);

}  // namespace stc::models
