#include <ATen/ATen.h>

#include <utility>

#include "data/augment/image_augment.h"
#include "data/loading/sample_source.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

class ShardImages : public ImageSource {
 public:
  ShardImages(std::shared_ptr<const ShardSet> shards,
              std::uint64_t seed,
              const ImageOptions& options)
      : shards_(std::move(shards)), seed_(seed), options_(options) {}

  std::int64_t epoch_size() const override { return shards_->size(); }
  std::int64_t entries() const override { return shards_->size(); }

  ImageBatch make_batch(std::int64_t rows) const override {
    const std::int64_t size = options_.size;
    return {at::empty({rows, 3, size, size}, at::kByte),
            at::empty({rows, 3, size, size}, at::kByte),
            std::vector<std::int64_t>(rows)};
  }

  SampleReport fill(std::int64_t global_sample,
                    ImageBatch& batch,
                    std::int64_t row) const override {
    const StreamPlace place = stream_place(global_sample, epoch_size());
    const std::int64_t offset = row * 3 * options_.size * options_.size;
    return fill_with_replacement(seed_, epoch_size(), place, [&](std::int64_t sample) {
      DecodedEntry entry = read_entry(*shards_, sample);
      if (entry.bad) return std::move(entry.bad);
      render(
          entry.image, Purpose::kQueryView, place, batch.query.data_ptr<std::uint8_t>() + offset);
      render(entry.image, Purpose::kKeyView, place, batch.key.data_ptr<std::uint8_t>() + offset);
      batch.samples[row] = sample;
      return std::optional<BadEntry>();
    });
  }

 private:
  void render(const Image& image,
              Purpose purpose,
              const StreamPlace& place,
              std::uint8_t* out) const {
    CounterRandom random(seed_, purpose, place.epoch, place.index);
    const ImageView view = draw_image_view(random, image.height, image.width, options_);
    render_image_view(image, view, options_.size, out);
  }

  std::shared_ptr<const ShardSet> shards_;
  std::uint64_t seed_;
  ImageOptions options_;
};

void check(const ImageOptions& options) {
  STC_CHECK_USAGE(options.size >= 1 && options.size <= 4096,
                  "image size is {}; 1 to 4096 pixels are expected",
                  options.size);
  STC_CHECK_USAGE(options.min_area > 0 && options.min_area <= 1,
                  "smallest crop area is {}; a fraction above 0 and at most 1 is expected",
                  options.min_area);
  STC_CHECK_USAGE(options.blur_sigma_max == 0 ||
                      (options.blur_sigma_max >= 0.1 && options.blur_sigma_max <= 10),
                  "largest blur sigma is {}; 0.1 to 10 pixels, or 0 for no blur, is expected",
                  options.blur_sigma_max);
}

}  // namespace

std::unique_ptr<ImageSource> make_image_source(std::shared_ptr<const ShardSet> shards,
                                               std::uint64_t seed,
                                               const ImageOptions& options) {
  check(options);
  STC_CHECK_DATA(
      shards->kind() == ShardKind::kImages,
      "the shards hold videos; this step trains on images. Make them with `stc pack images`.");
  STC_CHECK_DATA(shards->size() >= 1, "the shards hold no image");
  return std::make_unique<ShardImages>(std::move(shards), seed, options);
}

}  // namespace stc::data
