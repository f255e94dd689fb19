// Random pixels in place of a data set: for dry runs and benches.
#pragma once

#include <cstdint>
#include <vector>

#include "data/loading/loader.h"

namespace stc::launcher {

/// Batches of `batch` samples of `size` x `size` pixels, drawn again for every step.
template <typename Batch>
class RandomLoader : public data::Loader<Batch> {
 public:
  RandomLoader(std::int64_t batch, std::int64_t size) : batch_(batch), size_(size) {}
  Batch next() override;
  std::int64_t corrupt_samples() const override { return 0; }
  std::int64_t epoch_size() const override { return batch_; }

 private:
  const std::int64_t batch_, size_;
};

template <>
data::ImageBatch RandomLoader<data::ImageBatch>::next();
template <>
data::ClipBatch RandomLoader<data::ClipBatch>::next();

}  // namespace stc::launcher
