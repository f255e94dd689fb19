// A few annotated clips evaluated now and then while training, to see what the features are worth.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "data/images/propagation_input.h"
#include "data/weights/safetensors.h"
#include "dist/communicator.h"

namespace stc::launcher {

struct ValidationOptions {
  std::string data;   ///< a folder of DAVIS's shape; empty: no probe
  std::string split;  ///< file that lists its clips; empty: the data set's own
  std::int64_t every_steps = 1000;
  std::int64_t clips = 4;         ///< the first so many; 0: all
  std::int64_t short_side = 240;  ///< of the network's input, pixels
};

/// Means over all objects, in 0..1 (docs/evaluation.md).
struct ValidationResult {
  double j = 0, f = 0;
  std::int64_t clips = 0;
  double seconds = 0;  ///< of the rank that took longest
  double jf() const { return (j + f) / 2; }
};

/// "J&F 61.2 (J 60.0, F 62.4; 4 clips)".
std::string to_text(const ValidationResult& result);

class Validation {
 public:
  /// The trunk sees the colours that it is trained on. Opens the data on each rank; throws
  /// stc::Error naming what is wrong. `world` carries small CPU tensors, and outlives this.
  Validation(const ValidationOptions& options,
             int depth,
             data::InputColour colour,
             at::Device device,
             dist::Communicator& world);
  ~Validation();

  /// `weights`: the state of the trunk in training; rank 0's running statistics count. Each rank
  /// takes its share of the clips; the numbers do not depend on how many ranks there are. If a
  /// clip fails, its rank logs an error and there is no result. A collective.
  std::optional<ValidationResult> evaluate(const data::NamedTensors& weights);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stc::launcher
