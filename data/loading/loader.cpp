#include "data/loading/loader.h"

#include <utility>

#include "data/loading/loader_over_shards.h"
#include "data/loading/prefetching_loader.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

void check(const LoaderOptions& options) {
  STC_CHECK_USAGE(options.workers >= 0 && options.workers <= 256,
                  "loader workers are {}; 0 to 256 threads are expected",
                  options.workers);
  STC_CHECK_USAGE(options.prefetch >= 1 && options.prefetch <= 1024,
                  "prefetched batches are {}; 1 to 1024 are expected",
                  options.prefetch);
  STC_CHECK_USAGE(options.max_bad_fraction >= 0 && options.max_bad_fraction <= 1,
                  "max_bad_fraction is {}; 0 to 1 is expected",
                  options.max_bad_fraction);
}

void check(const SampleWindow& window, std::int64_t first_step) {
  STC_CHECK_USAGE(window.world >= 1 && window.rank >= 0 && window.rank < window.world,
                  "rank {} of a world of {}; 0 <= rank < world is expected",
                  window.rank,
                  window.world);
  STC_CHECK_USAGE(window.batch_size >= 1 && window.batch_size % window.world == 0,
                  "the global batch of {} samples does not divide over {} ranks; a positive "
                  "multiple is expected. Change train.batch_size or the number of ranks.",
                  window.batch_size,
                  window.world);
  STC_CHECK(first_step >= 0, "a loader cannot start at step {}", first_step);
}

}  // namespace

std::unique_ptr<ImageLoader> make_image_loader(std::shared_ptr<const ShardSet> shards,
                                               const LoaderOptions& loader,
                                               const ImageOptions& images,
                                               const SampleWindow& window,
                                               std::int64_t first_step) {
  check(loader);
  check(window, first_step);
  return std::make_unique<PrefetchingLoader<ImageBatch>>(
      make_image_source(std::move(shards), window.seed, images), loader, window, first_step);
}

std::unique_ptr<ClipLoader> make_clip_loader(std::shared_ptr<const ShardSet> shards,
                                             const LoaderOptions& loader,
                                             const ClipOptions& clips,
                                             const SampleWindow& window,
                                             std::int64_t first_step) {
  check(loader);
  check(window, first_step);
  return std::make_unique<PrefetchingLoader<ClipBatch>>(
      make_clip_source(std::move(shards), window.seed, clips), loader, window, first_step);
}

std::unique_ptr<ImageLoader> make_image_loader(const std::string& shards,
                                               const LoaderOptions& loader,
                                               const ImageOptions& images,
                                               const SampleWindow& window,
                                               std::int64_t first_step) {
  return make_image_loader(ShardSet::open(shards), loader, images, window, first_step);
}

std::unique_ptr<ClipLoader> make_clip_loader(const std::string& shards,
                                             const LoaderOptions& loader,
                                             const ClipOptions& clips,
                                             const SampleWindow& window,
                                             std::int64_t first_step) {
  return make_clip_loader(ShardSet::open(shards), loader, clips, window, first_step);
}

}  // namespace stc::data
