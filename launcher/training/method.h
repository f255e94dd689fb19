// What the training loop asks of a step of the method: step 1 and step 2 answer.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/weights/safetensors.h"
#include "dist/communicator.h"
#include "launcher/training/train_options.h"
#include "models/resnet.h"
#include "monitoring/check.h"

namespace stc::launcher {

/// One forward pass on this rank's samples, or on one micro-batch of them.
struct StepOutcome {
  at::Tensor total;  ///< scalar, to call backward on
  std::vector<std::pair<std::string, at::Tensor>>
      losses;  ///< detached scalars; the mean over ranks is the global value
  std::vector<std::pair<std::string, at::Tensor>>
      health;                         ///< the same, beside the losses ("accuracy", ...)
  std::vector<std::int64_t> samples;  ///< indices into the data set
  double data_wait_seconds = 0;

  /// Takes in one of `count` micro-batches: losses become their mean, samples their union.
  void add(const StepOutcome& part, std::int64_t count);
};

/// Puts the config key in front of what goes wrong while `body` uses its value.
template <typename Body>
auto with_key(const char* key, const Body& body) {
  try {
    return body();
  } catch (const Error& error) {
    throw Error(error.exit(), text("{}: {}", key, error.what()));
  }
}

class Method {
 public:
  virtual ~Method() = default;
  virtual void start(std::int64_t step) = 0;  ///< opens the loader at this step
  /// Both 0-based and in order; the micro-batches 0 to train.accumulate - 1 make up a step's batch.
  virtual StepOutcome forward(std::int64_t step, std::int64_t micro_batch) = 0;
  virtual void after_backward() {}  ///< gradients are there, parameters not yet moved

  virtual models::NamedTensorList parameters() const = 0;  ///< what the optimizer moves
  /// What must be equal on all ranks after every step, by what it is called in a message.
  virtual std::map<std::string, data::NamedTensors> shared_state() const = 0;
  virtual data::NamedTensors backbone_state() const = 0;  ///< what is kept in the end
  virtual data::NamedTensors method_state()
      const = 0;  ///< the rest of what a resumed run needs; may be empty
  virtual void load(const data::NamedTensors& backbone,
                    const data::NamedTensors& method,
                    const std::string& source) = 0;

  virtual std::int64_t frozen_bytes() const { return 0; }  ///< of weights that no state holds
  virtual std::int64_t epoch_size() const = 0;
  virtual std::int64_t corrupt_samples() const = 0;
  virtual std::int64_t ready_batches() const = 0;  ///< that the loader holds for the next steps
  virtual std::string fingerprint() const {
    return "";
  }  ///< of inputs that the config names only by path
};

/// With a `loader` (a dry run's), batches come from it and not from data.shards; without a
/// model.teacher, the given `teacher` takes its place.
std::unique_ptr<Method> make_spatial_method(const PretrainOptions& options,
                                            dist::Communicator& world,
                                            const std::string& device,
                                            std::unique_ptr<data::ImageLoader> loader = nullptr);
std::unique_ptr<Method> make_temporal_method(const VideoTrainOptions& options,
                                             dist::Communicator& world,
                                             const std::string& device,
                                             std::unique_ptr<data::ClipLoader> loader = nullptr,
                                             data::NamedTensors teacher = {});

}  // namespace stc::launcher
