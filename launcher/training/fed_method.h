// A method whose batches come from a loader: what step 1 and step 2 have in common.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "launcher/training/feed.h"
#include "launcher/training/method.h"

namespace stc::launcher {

inline data::NamedTensors by_name(const models::NamedTensorList& list) {
  return {list.begin(), list.end()};
}

template <typename Batch>
class FedMethod : public TrainingMethod {
 public:
  void start(std::int64_t step) final {
    if (!feed_.is_open()) feed_.open(open_loader(step));
  }
  void fetch(MicroBatch at) final { feed_.fetch(at.index); }
  StepOutcome forward(MicroBatch at) final {
    StepOutcome outcome = losses(feed_.current(), at);
    outcome.samples = feed_.current().samples;
    outcome.data_wait_seconds = feed_.waited_seconds();
    return outcome;
  }

  std::int64_t epoch_size() const final { return feed_.loader().epoch_size(); }
  std::int64_t corrupt_samples() const final { return feed_.loader().corrupt_samples(); }
  std::int64_t ready_batches() const final { return feed_.loader().ready(); }

 protected:
  explicit FedMethod(Feed<Batch> feed) : feed_(std::move(feed)) {}

  virtual std::unique_ptr<data::Loader<Batch>> open_loader(std::int64_t step) const = 0;
  /// `batch` is on the device. Fills in all but the samples and the waiting time.
  virtual StepOutcome losses(const Batch& batch, MicroBatch at) = 0;

 private:
  Feed<Batch> feed_;
};

}  // namespace stc::launcher
