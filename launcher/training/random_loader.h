// Random pixels in place of a data set: for dry runs and benches.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <numeric>
#include <type_traits>
#include <vector>

#include "data/loading/loader.h"

namespace stc::launcher {

/// Batches of `batch` samples of `size` x `size` pixels, drawn again for every step.
template <typename Batch>
class RandomLoader : public data::Loader<Batch> {
 public:
  RandomLoader(std::int64_t batch, std::int64_t size) : batch_(batch), size_(size) {}
  Batch next() override {
    std::vector<std::int64_t> samples(batch_);
    std::iota(samples.begin(), samples.end(), 0);
    if constexpr (std::is_same_v<Batch, data::ImageBatch>)
      return {pixels({batch_, 3, size_, size_}), pixels({batch_, 3, size_, size_}), samples};
    const auto rgb = pixels({batch_, 2, 3, size_, size_});
    return {rgb, at::rand(rgb.sizes(), at::kFloat) * 2 - 1, samples};
  }
  std::int64_t corrupt_samples() const override { return 0; }
  std::int64_t epoch_size() const override { return batch_; }

 private:
  static at::Tensor pixels(at::IntArrayRef shape) { return at::randint(0, 256, shape, at::kByte); }

  const std::int64_t batch_, size_;
};

}  // namespace stc::launcher
