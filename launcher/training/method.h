// What a training step asks of the method: step 1 and step 2 answer.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "data/images/propagation_input.h"
#include "data/loading/loader.h"
#include "data/weights/safetensors.h"
#include "dist/communicator.h"
#include "launcher/training/train_options.h"
#include "models/resnet.h"

namespace stc::launcher {

/// One forward pass on this rank's samples, or on one micro-batch of them.
struct StepOutcome {
  using NamedScalars = std::vector<std::pair<std::string, at::Tensor>>;

  at::Tensor total{};                   ///< scalar, to call backward on
  NamedScalars losses{};                ///< detached; the mean over ranks is the global value
  NamedScalars health{};                ///< the same, beside the losses ("accuracy", ...)
  std::vector<std::int64_t> samples{};  ///< indices into the data set
  double data_wait_seconds = 0;

  /// Adds one of `count` micro-batches: losses become their mean, samples their union.
  void add(const StepOutcome& part, std::int64_t count);
};

/// A micro-batch's place in the training, both counted from 0.
struct MicroBatch {
  std::int64_t step = 0;
  std::int64_t index = 0;  ///< below train.accumulate
};

class TrainingMethod {
 public:
  virtual ~TrainingMethod() = default;
  virtual void start(std::int64_t step) = 0;  ///< opens the loader at this step
  /// In order; the micro-batches 0 to train.accumulate - 1 make up a step's batch. fetch() waits
  /// for the data, forward() computes the losses on it.
  virtual void fetch(MicroBatch at) = 0;
  virtual StepOutcome forward(MicroBatch at) = 0;
  virtual void after_backward() {}  ///< gradients are there, parameters not yet moved

  virtual models::NamedTensorList parameters() const = 0;  ///< what the optimizer moves
  /// What must be equal on all ranks after every step, by what it is called in a message.
  virtual std::map<std::string, data::NamedTensors> shared_state() const = 0;
  virtual data::NamedTensors backbone_state() const = 0;  ///< what is kept in the end
  virtual data::InputColour input_colour() const = 0;     ///< that the backbone is trained on
  /// The rest of what a resumed run needs; may be empty.
  virtual data::NamedTensors method_state() const = 0;
  virtual void load(const data::NamedTensors& backbone,
                    const data::NamedTensors& method,
                    const std::string& source) = 0;

  virtual std::int64_t images_per_sample() const { return 1; }  ///< as throughput counts them
  virtual std::int64_t frozen_bytes() const { return 0; }       ///< of weights that no state holds
  virtual std::int64_t epoch_size() const = 0;
  virtual std::int64_t corrupt_samples() const = 0;
  virtual std::int64_t ready_batches() const = 0;  ///< that the loader holds for the next steps
  /// Identifies inputs that the config names only by path.
  virtual std::string fingerprint() const { return ""; }
};

/// `ranks` carry what the method itself exchanges in forward and backward, on `device`; gradients
/// may go over others. With a `loader`, batches come from it and not from data.shards; without a
/// model.teacher, the given `teacher` takes its place: for a dry run and the benches.
std::unique_ptr<TrainingMethod> make_method(const PretrainOptions& options,
                                            dist::Communicator& ranks,
                                            at::Device device,
                                            std::unique_ptr<data::ImageLoader> loader = nullptr);
std::unique_ptr<TrainingMethod> make_method(const VideoTrainOptions& options,
                                            dist::Communicator& ranks,
                                            at::Device device,
                                            std::unique_ptr<data::ClipLoader> loader = nullptr,
                                            data::NamedTensors teacher = {});

}  // namespace stc::launcher
