#include "data/loading/loader.h"

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <thread>
#include <vector>

#include "data/loading/loader.h"
#include "monitoring/check.h"
#include "tests/data/fake_shards.h"
#include "tests/data/pictures.h"

namespace stc::data {
namespace {

using testing::HasSubstr;
using Entries = std::vector<std::vector<std::uint8_t>>;

/// Each entry another picture.
Entries pictures(int count) {
  Entries entries;
  for (int i = 0; i < count; ++i) entries.push_back(encode_jpeg(rough_picture(40 + i, 50), 90));
  return entries;
}

std::shared_ptr<FakeShards> images(Entries entries) {
  return std::make_shared<FakeShards>(ShardKind::kImages, std::move(entries));
}

/// `lengths` frames a video; the frames of one video have one size.
std::shared_ptr<FakeShards> videos(const std::vector<int>& lengths) {
  Entries entries;
  for (std::size_t video = 0; video < lengths.size(); ++video)
    for (int frame = 0; frame < lengths[video]; ++frame) {
      Image image = rough_picture(40 + static_cast<int>(video), 70);
      for (std::uint8_t& value : image.pixels) value = static_cast<std::uint8_t>(value + 5 * frame);
      entries.push_back(encode_jpeg(image, 90));
    }
  auto shards = std::make_shared<FakeShards>(ShardKind::kVideos, std::move(entries));
  std::int64_t first = 0;
  for (const int length : lengths) {
    shards->add_video(first, length);
    first += length;
  }
  return shards;
}

LoaderOptions options(int workers) {
  LoaderOptions result;
  result.workers = workers;
  result.prefetch = 3;
  return result;
}

constexpr std::int64_t kBatch = 4;
constexpr std::uint64_t kSeed = 17;

ImageOptions small_images() {
  ImageOptions result;
  result.size = 16;
  return result;
}

ClipOptions small_clips() {
  ClipOptions result;
  result.size = 32;
  return result;
}

auto open_loader(std::shared_ptr<const ShardSet> shards,
                 int workers,
                 const SampleWindow& window = {kBatch, 0, 1, kSeed},
                 std::int64_t first_step = 0) {
  return make_image_loader(std::move(shards), options(workers), small_images(), window, first_step);
}

auto open_clips(std::shared_ptr<const ShardSet> shards,
                int workers,
                const SampleWindow& window = {kBatch, 0, 1, kSeed},
                std::int64_t first_step = 0) {
  return make_clip_loader(std::move(shards), options(workers), small_clips(), window, first_step);
}

/// All batches of `steps` steps, ranks one after the other within a step: one row a sample.
struct Stream {
  std::vector<at::Tensor> first;
  std::vector<at::Tensor> second;
  std::vector<std::int64_t> samples;
};

void append(Stream& stream, const ImageBatch& batch) {
  stream.first.push_back(batch.query);
  stream.second.push_back(batch.key);
  stream.samples.insert(stream.samples.end(), batch.samples.begin(), batch.samples.end());
}

void append(Stream& stream, const ClipBatch& batch) {
  stream.first.push_back(batch.rgb);
  stream.second.push_back(batch.lab);
  stream.samples.insert(stream.samples.end(), batch.samples.begin(), batch.samples.end());
}

template <typename Open, typename Shards>
Stream streamed(
    Open open, const Shards& shards, int workers, int world, int steps, int first_step) {
  std::vector<decltype(open(shards, workers, SampleWindow{}, 0))> loaders;
  for (int rank = 0; rank < world; ++rank)
    loaders.push_back(open(shards, workers, SampleWindow{kBatch, rank, world, kSeed}, first_step));
  Stream stream;
  for (int step = first_step; step < steps; ++step)
    for (const auto& loader : loaders) append(stream, loader->next());
  return stream;
}

void expect_equal(const Stream& a, const Stream& b) {
  EXPECT_EQ(a.samples, b.samples);
  EXPECT_TRUE(at::equal(at::cat(a.first), at::cat(b.first)));
  EXPECT_TRUE(at::equal(at::cat(a.second), at::cat(b.second)));
}

template <typename Open, typename Shards>
void expect_one_stream(Open open, const Shards& shards) {
  constexpr int kSteps = 6;
  const Stream reference = streamed(open, shards, 0, 1, kSteps, 0);
  ASSERT_EQ(reference.samples.size(), static_cast<std::size_t>(kSteps * kBatch));
  for (const int workers : {0, 1, 3})
    for (const int world : {1, 2, 4})
      expect_equal(streamed(open, shards, workers, world, kSteps, 0), reference);

  constexpr int kStart = 3;
  Stream rest;
  rest.samples.assign(reference.samples.begin() + kStart * kBatch, reference.samples.end());
  rest.first.assign(reference.first.begin() + kStart, reference.first.end());
  rest.second.assign(reference.second.begin() + kStart, reference.second.end());
  expect_equal(streamed(open, shards, 2, 1, kSteps, kStart), rest);
}

// Twenty-four samples of an epoch of seven (or five): the stream passes several epochs in the
// middle of a batch.
TEST(ImageLoader, GivesOneStreamForAnyWorkersRanksAndStart) {
  expect_one_stream([](auto&&... arguments) { return open_loader(arguments...); },
                    images(pictures(7)));
}

TEST(ClipLoader, GivesOneStreamForAnyWorkersRanksAndStart) {
  expect_one_stream([](auto&&... arguments) { return open_clips(arguments...); },
                    videos({2, 5, 3, 4, 9}));
}

TEST(ImageLoader, TellsHowManyBatchesAreReady) {
  const auto shards = images(pictures(7));
  const auto on_the_caller = open_loader(shards, 0);
  on_the_caller->next();
  EXPECT_EQ(on_the_caller->ready(), 0);

  const auto ahead = open_loader(shards, 2);
  for (int step = 0; step < 2; ++step) {
    while (ahead->ready() < options(2).prefetch) std::this_thread::yield();
    ahead->next();
    EXPECT_LE(ahead->ready(), options(2).prefetch);
  }
}

TEST(ImageLoader, ShowsEverySampleOnceAnEpochAndInAnotherOrder) {
  const auto loader = open_loader(images(pictures(12)), 1);
  EXPECT_EQ(loader->epoch_size(), 12);
  std::vector<std::vector<std::int64_t>> epochs(2);
  for (std::vector<std::int64_t>& epoch : epochs)
    for (int step = 0; step < 3; ++step)
      for (const std::int64_t sample : loader->next().samples) epoch.push_back(sample);
  EXPECT_NE(epochs[0], epochs[1]);
  for (const auto& epoch : epochs)
    EXPECT_EQ(std::set<std::int64_t>(epoch.begin(), epoch.end()).size(), 12U);
}

TEST(ImageLoader, ViewsDifferFromEachOtherAndFromEpochToEpoch) {
  const auto loader = open_loader(images(pictures(4)), 1);
  const ImageBatch first = loader->next();
  const ImageBatch second = loader->next();
  EXPECT_EQ(first.query.sizes(), (at::IntArrayRef{kBatch, 3, 16, 16}));
  EXPECT_EQ(first.query.scalar_type(), at::kByte);
  EXPECT_FALSE(at::equal(first.query, first.key));
  for (std::int64_t row = 0; row < kBatch; ++row) {
    const auto again = std::find(second.samples.begin(), second.samples.end(), first.samples[row]) -
                       second.samples.begin();
    EXPECT_FALSE(at::equal(first.query[row], second.query[again]));
  }
}

TEST(ClipLoader, BothFramesShareTheirView) {
  // Frames of one video that are equal stay equal under shared draws.
  Entries entries(6, encode_jpeg(rough_picture(60, 110), 90));
  auto shards = std::make_shared<FakeShards>(ShardKind::kVideos, std::move(entries));
  shards->add_video(0, 3);
  shards->add_video(3, 3);
  const ClipBatch batch = open_clips(shards, 2)->next();
  EXPECT_EQ(batch.rgb.sizes(), (at::IntArrayRef{kBatch, 2, 3, 32, 32}));
  EXPECT_EQ(batch.lab.sizes(), (at::IntArrayRef{kBatch, 2, 3, 32, 32}));
  EXPECT_EQ(batch.lab.scalar_type(), at::kFloat);
  EXPECT_TRUE(at::equal(batch.rgb.select(1, 0), batch.rgb.select(1, 1)));
  EXPECT_TRUE(at::equal(batch.lab.select(1, 0), batch.lab.select(1, 1)));
  EXPECT_FALSE(at::equal(batch.rgb[0], batch.rgb[1]));
}

TEST(ClipLoader, LeavesVideosOfOneFrameOut) {
  testing::internal::CaptureStderr();
  const auto loader = open_clips(videos({1, 4, 1, 3}), 1);
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("2 of 4 videos"));
  EXPECT_EQ(loader->epoch_size(), 2);
  for (int step = 0; step < 3; ++step)
    for (const std::int64_t video : loader->next().samples) EXPECT_TRUE(video == 1 || video == 3);
}

/// The error of `action`, or a failure.
template <typename Action>
Error error_of(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return {Exit::kFine, ""};
}

TEST(ClipLoader, WithoutAVideoOfTwoFramesIsAnError) {
  const Error error = error_of([] { open_clips(videos({1, 1}), 1); });
  EXPECT_EQ(error.exit(), Exit::kBadData);
  EXPECT_THAT(error.what(), HasSubstr("none of 2 videos"));
}

TEST(Loader, OverShardsOfTheOtherKindIsAnError) {
  EXPECT_EQ(error_of([] { open_clips(images(pictures(2)), 1); }).exit(), Exit::kBadData);
  EXPECT_EQ(error_of([] { open_loader(videos({2}), 1); }).exit(), Exit::kBadData);
  EXPECT_EQ(error_of([] { open_loader(images({}), 1); }).exit(), Exit::kBadData);
}

TEST(ImageLoader, ReplacesABadEntryTheSameWayEveryTime) {
  Entries entries = pictures(300);
  entries[3].clear();                                    // checksum
  entries[100].resize(entries[100].size() / 3);          // cut short
  entries[200] = encode_jpeg(rough_picture(3, 50), 90);  // too small
  const auto shards = images(entries);
  const auto play = [&](int workers) {
    return streamed(
        [](auto&&... arguments) { return open_loader(arguments...); }, shards, workers, 1, 75, 0);
  };
  testing::internal::CaptureStderr();
  const Stream reference = play(0);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(reference.samples.size(), 300U);
  for (const std::int64_t bad : {3, 100, 200}) {
    EXPECT_EQ(std::count(reference.samples.begin(), reference.samples.end(), bad), 0);
    EXPECT_THAT(log, HasSubstr("fake.h5: entry " + std::to_string(bad) + " ("));
  }
  EXPECT_THAT(log, HasSubstr("3 pixels; at least 8 x 8"));
  testing::internal::CaptureStderr();
  expect_equal(play(3), reference);
  testing::internal::GetCapturedStderr();
}

TEST(ImageLoader, CountsAndLogsABadEntryOnce) {
  Entries entries = pictures(8);
  entries[5].clear();
  testing::internal::CaptureStderr();
  const auto loader = open_loader(images(entries), 2);
  EXPECT_EQ(loader->corrupt_samples(), 0);
  for (int step = 0; step < 10; ++step) loader->next();  // five epochs
  EXPECT_EQ(loader->corrupt_samples(), 1);
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(log.find("entry 5"), log.rfind("entry 5"));
  EXPECT_THAT(log, HasSubstr("fake.h5: entry 5 (5.jpg): the checksum does not fit"));
}

TEST(ClipLoader, ReplacesAVideoWhoseFramesDifferInSize) {
  const Entries two_sizes{encode_jpeg(rough_picture(40, 70), 90),
                          encode_jpeg(rough_picture(44, 70), 90),
                          encode_jpeg(rough_picture(40, 70), 90),
                          encode_jpeg(rough_picture(40, 70), 90)};
  auto shards = std::make_shared<FakeShards>(ShardKind::kVideos, two_sizes);
  shards->add_video(0, 2);
  shards->add_video(2, 2);
  testing::internal::CaptureStderr();
  const ClipBatch batch = open_clips(shards, 1)->next();
  EXPECT_THAT(testing::internal::GetCapturedStderr(), HasSubstr("expected 70 x 40, as in"));
  EXPECT_EQ(batch.samples, (std::vector<std::int64_t>{1, 1, 1, 1}));
}

TEST(ImageLoader, FailsAboveTheAllowedFractionAndStaysFailed) {
  Entries entries = pictures(40);
  for (int i = 0; i < 20; ++i) entries[2 * i].clear();
  for (const int workers : {0, 3}) {
    testing::internal::CaptureStderr();
    const auto loader = open_loader(images(entries), workers);
    const auto run = [&] {
      for (int step = 0; step < 10; ++step) loader->next();
    };
    const Error error = error_of(run);
    const Error again = error_of(run);
    testing::internal::GetCapturedStderr();
    EXPECT_EQ(error.exit(), Exit::kBadData);
    EXPECT_THAT(error.what(), HasSubstr("2 of 40 entries are bad"));
    EXPECT_THAT(error.what(), HasSubstr("fake.h5: entry "));
    EXPECT_EQ(again.exit(), Exit::kBadData);
  }
}

TEST(ImageLoader, WithNothingButBadEntriesFails) {
  LoaderOptions tolerant = options(2);
  tolerant.max_bad_fraction = 1;
  testing::internal::CaptureStderr();
  const auto loader =
      make_image_loader(images(Entries(5)), tolerant, small_images(), {kBatch, 0, 1, kSeed}, 0);
  const Error error = error_of([&] { loader->next(); });
  testing::internal::GetCapturedStderr();
  EXPECT_EQ(error.exit(), Exit::kBadData);
  EXPECT_THAT(error.what(), HasSubstr("100 entries drawn in a row are bad"));
}

/// Shards whose reading fails for a reason that is not bad data.
class BrokenShards : public FakeShards {
 public:
  using FakeShards::FakeShards;
  std::vector<std::uint8_t> read(std::int64_t) const override {
    throw Error(Exit::kFailed, "the disk is gone");
  }
};

TEST(ImageLoader, ThrowsErrorsOfItsWorkersFromNext) {
  for (const int workers : {0, 1, 3}) {
    const auto loader =
        open_loader(std::make_shared<BrokenShards>(ShardKind::kImages, pictures(4)), workers);
    const Error error = error_of([&] { loader->next(); });
    EXPECT_EQ(error.exit(), Exit::kFailed);
    EXPECT_STREQ(error.what(), "the disk is gone");
  }
}

TEST(Loader, StopsCleanlyWithoutBeingAsked) {
  for (int i = 0; i < 20; ++i) {
    open_loader(images(pictures(3)), 4);
    open_clips(videos({2, 3}), 4)->next();
  }
}

TEST(Loader, RefusesOptionsOutOfRange) {
  const auto shards = images(pictures(2));
  const auto usage =
      [&](const LoaderOptions& loader, const ImageOptions& image, const SampleWindow& window) {
        return error_of([&] { make_image_loader(shards, loader, image, window, 0); }).exit();
      };
  const LoaderOptions good = options(1);
  EXPECT_EQ(usage(good, small_images(), {5, 0, 2}), Exit::kUsage);
  EXPECT_EQ(usage(good, small_images(), {0, 0, 1}), Exit::kUsage);
  EXPECT_EQ(usage(good, small_images(), {4, 2, 2}), Exit::kUsage);
  LoaderOptions loader = good;
  loader.workers = -1;
  EXPECT_EQ(usage(loader, small_images(), {4, 0, 1}), Exit::kUsage);
  loader = good;
  loader.prefetch = 0;
  EXPECT_EQ(usage(loader, small_images(), {4, 0, 1}), Exit::kUsage);
  loader = good;
  loader.max_bad_fraction = 1.5;
  EXPECT_EQ(usage(loader, small_images(), {4, 0, 1}), Exit::kUsage);
  ImageOptions image = small_images();
  image.size = 0;
  EXPECT_EQ(usage(good, image, {4, 0, 1}), Exit::kUsage);
  image = small_images();
  image.min_area = 0;
  EXPECT_EQ(usage(good, image, {4, 0, 1}), Exit::kUsage);
  image = small_images();
  image.blur_sigma_max = 0.05;
  EXPECT_EQ(usage(good, image, {4, 0, 1}), Exit::kUsage);
}

TEST(ClipLoader, RefusesOptionsOutOfRange) {
  const auto shards = videos({2, 3});
  const auto usage = [&](auto change) {
    ClipOptions clips = small_clips();
    change(clips);
    return error_of([&] { make_clip_loader(shards, options(1), clips, {4, 0, 1}, 0); }).exit();
  };
  EXPECT_EQ(usage([](ClipOptions& clips) { clips.size = 48; }), Exit::kUsage);
  EXPECT_EQ(usage([](ClipOptions& clips) { clips.frame_gap = 0; }), Exit::kUsage);
  EXPECT_EQ(usage([](ClipOptions& clips) { clips.min_area = 1.5; }), Exit::kUsage);
  EXPECT_EQ(usage([](ClipOptions& clips) { clips.min_aspect = 3; }), Exit::kUsage);
}

}  // namespace
}  // namespace stc::data
