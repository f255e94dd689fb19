// Batches for training: sample n of the endless stream is a pure function of (options, n). See
// docs/data.md.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace stc::data {

/// What this rank trains on at one step. Global samples [step * batch_size, (step + 1) *
/// batch_size) are cut into `world` equal runs; this rank holds the rank-th.
struct SampleWindow {
  std::int64_t batch_size = 0;  ///< global; a multiple of world
  int rank = 0;
  int world = 1;
};

struct LoaderOptions {
  int workers = 2;   ///< decoding threads a rank; 0 decodes on the caller's thread
  int prefetch = 4;  ///< batches held ready; host memory grows with it
  std::uint64_t seed = 0;
  double max_bad_fraction =
      0.01;  ///< of the data set: more bad entries than this is an error, not a replacement
};

struct ImageOptions {
  std::int64_t size = 224;      ///< side of the square crop in pixels
  double min_area = 0.2;        ///< smallest crop, as a fraction of the image's area
  double blur_sigma_max = 2.0;  ///< pixels at `size`; 0.1 is the smallest; 0 switches the blur off
};

struct ClipOptions {
  std::int64_t size = 256;  ///< side of the square crop in pixels, a multiple of 32
  int frame_gap = 1;  ///< target frame = reference frame + gap, >= 1, shortened for shorter videos
  double min_area = 0.6;    ///< smallest crop, as a fraction of the frame's area
  double min_aspect = 1.5;  ///< width / height of the crop before it is squeezed into a square
  double max_aspect = 2.0;
};

/// Two independent views of each image (docs/method.md 1.1).
struct ImageBatch {
  at::Tensor query;                   ///< [n, 3, S, S] uint8 RGB
  at::Tensor key;                     ///< [n, 3, S, S] uint8 RGB
  std::vector<std::int64_t> samples;  ///< n indices into the data set, as used (after replacement)
};

/// Two frames of each video (docs/method.md 2.1, 2.2). Frame 0 is the reference (earlier), frame 1
/// the target.
struct ClipBatch {
  at::Tensor rgb;                     ///< [n, 2, 3, S, S] uint8 RGB
  at::Tensor lab;                     ///< [n, 2, 3, S, S] float32: (L - 50) / 50, a / 127, b / 127
  std::vector<std::int64_t> samples;  ///< n video indices, as used (after replacement)
};

/// Endless, in step order. next() blocks until the batch is ready; errors of workers are thrown
/// from it.
template <typename Batch>
class Loader {
 public:
  virtual ~Loader() = default;
  virtual Batch next() = 0;
  virtual std::int64_t corrupt_samples()
      const = 0;  ///< entries replaced so far, each logged once by place()
  virtual std::int64_t epoch_size() const = 0;  ///< images, or videos of at least two frames
  virtual std::int64_t ready() const {
    return 0;
  }  ///< batches that next() would give without waiting; 0 where none is made ahead
};

using ImageLoader = Loader<ImageBatch>;
using ClipLoader = Loader<ClipBatch>;

/// Both start at `first_step`. Throw stc::Error (kBadData) where the shards are of the other kind
/// or too few.
std::unique_ptr<ImageLoader> make_image_loader(const std::string& shards,
                                               const LoaderOptions& loader,
                                               const ImageOptions& images,
                                               const SampleWindow& window,
                                               std::int64_t first_step);
std::unique_ptr<ClipLoader> make_clip_loader(const std::string& shards,
                                             const LoaderOptions& loader,
                                             const ClipOptions& clips,
                                             const SampleWindow& window,
                                             std::int64_t first_step);

}  // namespace stc::data
