#include "data/loading/sample_source.h"

#include <ATen/ATen.h>

#include <utility>

#include "monitoring/check.h"

namespace stc::data {
namespace {

class ShardImages : public SampleSource<ImageBatch> {
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
    return fill_with_replacement(seed_, epoch_size(), place, [&](std::int64_t sample) {
      DecodedEntry entry = read_entry(*shards_, sample);
      if (entry.bad) return std::move(entry.bad);
      render(entry.image, Purpose::kQueryView, place, batch.query, row);
      render(entry.image, Purpose::kKeyView, place, batch.key, row);
      batch.samples[row] = sample;
      return std::optional<BadEntry>();
    });
  }

 private:
  /// Into `views`[row].
  void render(const Image& image,
              Purpose purpose,
              const StreamPlace& place,
              const at::Tensor& views,
              std::int64_t row) const {
    CounterRandom random(seed_, purpose, place.epoch, place.index);
    const ImageView view = draw_image_view(random, image.height, image.width, options_);
    const std::int64_t bytes = std::int64_t{3} * options_.size * options_.size;
    auto* planes = views.data_ptr<std::uint8_t>() + row * bytes;
    render_image_view(image, view, options_.size, {planes, static_cast<std::size_t>(bytes)});
  }

  std::shared_ptr<const ShardSet> shards_;
  std::uint64_t seed_;
  ImageOptions options_;
};

}  // namespace

std::unique_ptr<SampleSource<ImageBatch>> make_image_source(std::shared_ptr<const ShardSet> shards,
                                                            std::uint64_t seed,
                                                            const ImageOptions& options) {
  options.check();
  STC_CHECK_DATA(
      shards->kind() == ShardKind::kImages,
      "the shards hold videos; this step trains on images. Make them with `stc pack images`.");
  STC_CHECK_DATA(shards->size() >= 1, "the shards hold no image");
  return std::make_unique<ShardImages>(std::move(shards), seed, options);
}

}  // namespace stc::data
