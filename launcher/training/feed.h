// This rank's batches on this rank's device, micro-batch by micro-batch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "data/loading/loader.h"
#include "launcher/training/device_copies.h"
#include "launcher/training/method.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {

/// Rows [first, first + rows) of a batch of images or of clips.
template <typename Batch>
Batch rows_of(const Batch& batch, std::int64_t first, std::int64_t rows) {
  const auto& [first_tensor, second_tensor, samples] = batch;
  const auto part = [&](const at::Tensor& all) {
    return all.defined() ? all.narrow(0, first, rows) : all;
  };
  const auto begin = samples.begin() + first;
  return {part(first_tensor), part(second_tensor), {begin, begin + rows}};
}

template <typename Batch>
class Feed {
 public:
  /// `micro_batches`: how many equal ones a step's batch is cut into.
  Feed(at::Device device,
       std::int64_t micro_batches,
       std::unique_ptr<data::Loader<Batch>> loader = nullptr)
      : upload_(device), micro_batches_(micro_batches), loader_(std::move(loader)) {}

  bool is_open() const { return loader_ != nullptr; }
  void open(std::unique_ptr<data::Loader<Batch>> loader) { loader_ = std::move(loader); }
  const data::Loader<Batch>& loader() const { return *loader_; }

  /// Makes a micro-batch of the step under way the current one; the first waits for the next batch.
  void fetch(std::int64_t micro_batch) {
    waited_seconds_ = 0;
    if (micro_batch == 0) fetch_step();
    const auto rows = static_cast<std::int64_t>(step_.samples.size()) / micro_batches_;
    current_ = rows_of(step_, micro_batch * rows, rows);
  }
  const Batch& current() const { return current_; }
  double waited_seconds() const { return waited_seconds_; }  ///< for the current micro-batch

 private:
  // On a GPU the next step's batch, if there is one by now, travels during this step.
  void fetch_step() {
    const Stopwatch clock;
    if (!next_) next_ = start(loader_->next());
    waited_seconds_ = clock.seconds();
    const auto& [first, second, samples] = *next_;
    upload_.finish(first);
    upload_.finish(second);
    step_ = std::move(*next_);
    next_.reset();
    if (upload_.is_ahead() && loader_->ready() > 0) next_ = start(loader_->next());
  }
  Batch start(Batch host) const {
    auto& [first, second, samples] = host;
    return {upload_.start(first), upload_.start(second), std::move(samples)};
  }

  Upload upload_;
  std::int64_t micro_batches_;
  std::unique_ptr<data::Loader<Batch>> loader_;
  std::optional<Batch> next_;  // on its way to the device
  Batch step_, current_;       // on the device
  double waited_seconds_ = 0;
};

/// A method whose batches come from a loader: what step 1 and step 2 have in common.
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

  static data::NamedTensors by_name(const models::NamedTensorList& list) {
    return {list.begin(), list.end()};
  }

  virtual std::unique_ptr<data::Loader<Batch>> open_loader(std::int64_t step) const = 0;
  /// `batch` is on the device. Fills in all but the samples and the waiting time.
  virtual StepOutcome losses(const Batch& batch, MicroBatch at) = 0;

 private:
  Feed<Batch> feed_;
};

}  // namespace stc::launcher
