#include "launcher/training/feed.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>

namespace stc::launcher {
namespace {

using testing::ElementsAre;

/// Batch b holds images whose pixels are all 10 * b + row, and samples of the same numbers.
class NumberedImages : public data::ImageLoader {
 public:
  explicit NumberedImages(std::int64_t rows) : rows_(rows) {}
  data::ImageBatch next() override {
    data::ImageBatch batch;
    for (std::int64_t row = 0; row < rows_; ++row) batch.samples.push_back(10 * served + row);
    batch.query = at::tensor(batch.samples, at::kByte).reshape({rows_, 1, 1, 1});
    batch.key = batch.query + 100;
    ++served;
    return batch;
  }
  std::int64_t corrupt_samples() const override { return 0; }
  std::int64_t epoch_size() const override { return 1000; }

  std::int64_t served = 0;

 private:
  std::int64_t rows_;
};

std::vector<std::int64_t> pixels(const at::Tensor& images) {
  const auto flat = images.to(at::kLong).flatten();
  return {flat.data_ptr<std::int64_t>(), flat.data_ptr<std::int64_t>() + flat.numel()};
}

TEST(Feed, CutsEachBatchIntoMicroBatchesInOrder) {
  Feed<data::ImageBatch> feed(at::kCPU, /*micro_batches=*/2);
  EXPECT_FALSE(feed.is_open());
  feed.open(std::make_unique<NumberedImages>(4));
  feed.fetch(0);
  EXPECT_THAT(pixels(feed.current().query), ElementsAre(0, 1));
  EXPECT_THAT(feed.current().samples, ElementsAre(0, 1));
  feed.fetch(1);
  EXPECT_THAT(pixels(feed.current().query), ElementsAre(2, 3));
  EXPECT_THAT(pixels(feed.current().key), ElementsAre(102, 103));
  EXPECT_THAT(feed.current().samples, ElementsAre(2, 3));
  feed.fetch(0);
  EXPECT_THAT(feed.current().samples, ElementsAre(10, 11));
}

TEST(Feed, AsksTheLoaderOncePerStepAndWaitsOnlyThen) {
  auto loader = std::make_unique<NumberedImages>(6);
  const NumberedImages& images = *loader;
  Feed<data::ImageBatch> feed(at::kCPU, /*micro_batches=*/3, std::move(loader));
  feed.fetch(0);
  EXPECT_GT(feed.waited_seconds(), 0);
  for (const int micro_batch : {1, 2}) {
    feed.fetch(micro_batch);
    EXPECT_EQ(feed.waited_seconds(), 0);
  }
  EXPECT_EQ(images.served, 1);
}

TEST(Feed, CutsBothFramesOfClips) {
  data::ClipBatch batch;
  batch.rgb = at::arange(4, at::kByte).reshape({4, 1, 1, 1, 1});
  batch.lab = batch.rgb.to(at::kFloat) / 2;
  batch.samples = {7, 8, 9, 10};
  const auto rows = rows_of(batch, /*first=*/1, /*rows=*/2);
  EXPECT_THAT(pixels(rows.rgb), ElementsAre(1, 2));
  EXPECT_TRUE(at::equal(rows.lab.flatten(), at::tensor({0.5, 1.0}, at::kFloat)));
  EXPECT_THAT(rows.samples, ElementsAre(8, 9));
}

}  // namespace
}  // namespace stc::launcher
