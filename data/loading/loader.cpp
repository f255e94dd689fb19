#include "data/loading/loader.h"

#include <utility>

#include "data/loading/clip_source.h"
#include "data/loading/image_source.h"
#include "data/loading/prefetching_loader.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

void check(const SampleWindow& window, std::int64_t first_step) {
  STC_CHECK_USAGE(window.world >= 1 && window.rank >= 0 && window.rank < window.world,
                  "rank {} of a world of {}; expected 0 <= rank < world",
                  window.rank,
                  window.world);
  STC_CHECK_USAGE(
      window.batch_size >= 1 && window.batch_size % window.world == 0,
      "the global batch of {} samples does not divide over {} ranks; expected a positive "
      "multiple. Change train.batch_size or the number of ranks.",
      window.batch_size,
      window.world);
  STC_CHECK(first_step >= 0, "a loader cannot start at step {}", first_step);
}

}  // namespace

void LoaderOptions::check() const {
  STC_CHECK_USAGE(
      workers >= 0 && workers <= 256, "loader workers are {}; expected 0 to 256 threads", workers);
  STC_CHECK_USAGE(
      prefetch >= 1 && prefetch <= 1024, "prefetched batches are {}; expected 1 to 1024", prefetch);
  STC_CHECK_USAGE(max_bad_fraction >= 0 && max_bad_fraction <= 1,
                  "max_bad_fraction is {}; expected 0 to 1",
                  max_bad_fraction);
}

std::unique_ptr<ImageLoader> make_image_loader(std::shared_ptr<const ShardSet> shards,
                                               const LoaderOptions& loader,
                                               const ImageOptions& images,
                                               const SampleWindow& window,
                                               std::int64_t first_step) {
  loader.check();
  check(window, first_step);
  return std::make_unique<PrefetchingLoader<ImageBatch>>(
      make_image_source(std::move(shards), window.seed, images), loader, window, first_step);
}

std::unique_ptr<ClipLoader> make_clip_loader(std::shared_ptr<const ShardSet> shards,
                                             const LoaderOptions& loader,
                                             const ClipOptions& clips,
                                             const SampleWindow& window,
                                             std::int64_t first_step) {
  loader.check();
  check(window, first_step);
  return std::make_unique<PrefetchingLoader<ClipBatch>>(
      make_clip_source(std::move(shards), window.seed, clips), loader, window, first_step);
}

}  // namespace stc::data
