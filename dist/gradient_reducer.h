// Averages gradients over ranks while backward still runs (c10d::Reducer, what DDP uses).
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "dist/communicator.h"

namespace stc::dist {

struct ReducerOptions {
  /// Size of the bucket of the first layers. Their gradients are ready last, when no compute is
  /// left to hide their transfer: small.
  double first_bucket_mib = 1;
  double bucket_mib = 25;            ///< of all other buckets
  std::string compression = "none";  ///< what travels: as computed, or rounded to "bf16" or "fp16"
};

/// parameters: leaf tensors that require gradients, the same on all ranks in number, order and
/// shape. Values are broadcast from rank 0 on construction, so that all start equal.
class GradientReducer {
 public:
  using Parameters = std::vector<std::pair<std::string, at::Tensor>>;
  GradientReducer(Parameters parameters, Communicator& world, const ReducerOptions& options);
  ~GradientReducer();

  /// Adds this rank's gradients to those already there and sends nothing; the backward() that ends
  /// the step reduces the sum.
  void accumulate(const at::Tensor& loss);
  void zero();  ///< zeroes the gradients in place (they may be views of buckets)
  void backward(const at::Tensor& loss);  ///< on return every gradient is the mean over ranks

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stc::dist
