// This rank's batches on this rank's device, micro-batch by micro-batch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <utility>

#include "data/loading/loader.h"
#include "monitoring/stopwatch.h"

namespace stc::launcher {

/// Rows [first, first + rows) of a batch, on `device`.
data::ImageBatch rows_on(at::Device device,
                         const data::ImageBatch& batch,
                         std::int64_t first,
                         std::int64_t rows);
data::ClipBatch rows_on(at::Device device,
                        const data::ClipBatch& batch,
                        std::int64_t first,
                        std::int64_t rows);

template <typename Batch>
class Feed {
 public:
  /// `micro_batches`: how many equal ones a step's batch is cut into.
  Feed(at::Device device,
       std::int64_t micro_batches,
       std::unique_ptr<data::Loader<Batch>> loader = nullptr)
      : device_(device), micro_batches_(micro_batches), loader_(std::move(loader)) {}

  bool is_open() const { return loader_ != nullptr; }
  void open(std::unique_ptr<data::Loader<Batch>> loader) { loader_ = std::move(loader); }
  const data::Loader<Batch>& loader() const { return *loader_; }

  /// Makes a micro-batch of the step under way the current one; the first waits for the next batch.
  void fetch(std::int64_t micro_batch) {
    waited_seconds_ = 0;
    if (micro_batch == 0) {
      const Stopwatch clock;
      step_ = loader_->next();
      waited_seconds_ = clock.seconds();
    }
    const auto rows = static_cast<std::int64_t>(step_.samples.size()) / micro_batches_;
    current_ = rows_on(device_, step_, micro_batch * rows, rows);
  }
  const Batch& current() const { return current_; }
  double waited_seconds() const { return waited_seconds_; }  ///< for the current micro-batch

 private:
  at::Device device_;
  std::int64_t micro_batches_;
  std::unique_ptr<data::Loader<Batch>> loader_;
  Batch step_;     // in host memory
  Batch current_;  // on the device
  double waited_seconds_ = 0;
};

}  // namespace stc::launcher
