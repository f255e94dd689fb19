// Batches for training: sample n of the endless stream is a pure function of (seed, image or clip
// options, n). See docs/data.md.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "data/augment/clip_augment.h"
#include "data/augment/image_augment.h"
#include "data/loading/sampler.h"
#include "data/shards/shard_set.h"

namespace stc::data {

/// Two independent views of each image (docs/method.md 1.1).
struct ImageBatch {
  at::Tensor query;                   ///< [n, 3, S, S] uint8 RGB
  at::Tensor key;                     ///< [n, 3, S, S] uint8 RGB
  std::vector<std::int64_t> samples;  ///< n indices into the data set, as used (after replacement)
};

/// Two frames of each video (docs/method.md 2.1, 2.2). Frame 0 is the reference (earlier), frame 1
/// the target.
struct ClipBatch {
  at::Tensor rgb;  ///< [n, 2, 3, S, S] uint8 RGB
  /// [n, 2, 3, S, S] float32: (L - 50) / 50, a / 127, b / 127; undefined without
  /// ClipOptions::with_lab
  at::Tensor lab;
  std::vector<std::int64_t> samples;  ///< n video indices, as used (after replacement)
};

/// Nothing of it changes a sample.
struct LoaderOptions {
  int workers = 2;   ///< decoding threads per rank; 0 decodes on the caller's thread
  int prefetch = 4;  ///< batches held ready; host memory grows with it
  /// Batches lie in page-locked memory, from which a GPU copies without making the host wait.
  bool pinned = false;
  /// A share of the data set: up to it bad entries are replaced, more of them are an error.
  double max_bad_fraction = 0.01;

  void check() const;  ///< throws stc::Error (kUsage) naming the option and the rule
};

/// Endless, in step order. next() blocks until the batch is ready; errors of workers are thrown
/// from it.
template <typename Batch>
class Loader {
 public:
  virtual ~Loader() = default;
  virtual Batch next() = 0;
  /// Entries replaced so far, each logged once by place().
  virtual std::int64_t corrupt_samples() const = 0;
  virtual std::int64_t epoch_size() const = 0;  ///< images, or videos of at least two frames
  /// Batches that next() would give without waiting; 0 if none is made ahead.
  virtual std::int64_t ready() const { return 0; }
};

using ImageLoader = Loader<ImageBatch>;
using ClipLoader = Loader<ClipBatch>;

/// Both start at `first_step`. Throw stc::Error: kUsage for options out of range, kBadData if the
/// shards are of the other kind or too few.
std::unique_ptr<ImageLoader> make_image_loader(std::shared_ptr<const ShardSet> shards,
                                               const LoaderOptions& loader,
                                               const ImageOptions& images,
                                               const SampleWindow& window,
                                               std::int64_t first_step);
std::unique_ptr<ClipLoader> make_clip_loader(std::shared_ptr<const ShardSet> shards,
                                             const LoaderOptions& loader,
                                             const ClipOptions& clips,
                                             const SampleWindow& window,
                                             std::int64_t first_step);

}  // namespace stc::data
