#include "data/loading/sample_source.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "data/images/image.h"
#include "data/random.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::data {
namespace {

/// Tries the permuted sample of `place`, and after each one that is bad another one, drawn by
/// (seed, place, attempt). `use` writes the row from a sample of 0..epoch_size-1, or returns what
/// is bad about it.
using UseSample = std::function<std::optional<BadEntry>(std::int64_t sample)>;
SampleReport fill_with_replacement(std::uint64_t seed,
                                   std::int64_t epoch_size,
                                   const StreamPlace& place,
                                   const UseSample& use) {
  // With half of the data set bad, a sample fails this often in a row once in 10^30.
  constexpr int kAttempts = 100;
  const Permutation order(seed, place.epoch, epoch_size);
  CounterRandom replacements(seed, Purpose::kReplacement, place.epoch, place.index);
  SampleReport report;
  std::int64_t sample = order(place.index);
  while (!report.filled && report.bad.size() < kAttempts) {
    if (auto bad = use(sample)) {
      report.bad.push_back(std::move(*bad));
      sample = replacements.integer(0, epoch_size - 1);
    } else {
      report.filled = true;
    }
  }
  return report;
}

/// One entry, read and decoded; `bad` if it is damaged or smaller than 8 x 8.
struct DecodedEntry {
  Image image;
  std::optional<BadEntry> bad;
};

DecodedEntry read_entry(const ShardSet& shards, std::int64_t entry) {
  constexpr int kMinSide = 8;  // smaller ones are icons and damage, not photographs
  DecodedEntry result;
  try {
    result.image = decode_image(shards.read(entry), shards.place(entry));
  } catch (const Error& error) {
    if (error.exit() != Exit::kBadData) throw;
    result.bad = BadEntry{entry, error.what()};
    return result;
  }
  const Image& image = result.image;
  if (image.width < kMinSide || image.height < kMinSide)
    result.bad = BadEntry{entry,
                          text("{}: the image is {} x {} pixels; at least 8 x 8 are expected",
                               shards.place(entry),
                               image.width,
                               image.height)};
  return result;
}

class ShardImages : public SampleSource<ImageBatch> {
 public:
  ShardImages(std::shared_ptr<const ShardSet> shards,
              std::uint64_t seed,
              const ImageOptions& options)
      : shards_(std::move(shards)), seed_(seed), options_(options) {}

  std::int64_t epoch_size() const override { return shards_->size(); }
  std::int64_t entries() const override { return shards_->size(); }

  ImageBatch make_batch(std::int64_t rows, bool pinned) const override {
    const std::int64_t size = options_.size;
    const auto bytes = at::TensorOptions(at::kByte).pinned_memory(pinned);
    return {at::empty({rows, 3, size, size}, bytes),
            at::empty({rows, 3, size, size}, bytes),
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

/// Videos that hold a clip of two frames.
std::vector<std::int64_t> usable_videos(const ShardSet& shards) {
  std::vector<std::int64_t> usable;
  const std::vector<VideoRange>& videos = shards.videos();
  for (std::size_t i = 0; i < videos.size(); ++i)
    if (videos[i].frames >= 2) usable.push_back(static_cast<std::int64_t>(i));
  return usable;
}

class ShardClips : public SampleSource<ClipBatch> {
 public:
  ShardClips(std::shared_ptr<const ShardSet> shards,
             std::vector<std::int64_t> videos,
             std::uint64_t seed,
             const ClipOptions& options)
      : shards_(std::move(shards)), videos_(std::move(videos)), seed_(seed), options_(options) {}

  std::int64_t epoch_size() const override { return static_cast<std::int64_t>(videos_.size()); }
  std::int64_t entries() const override { return shards_->size(); }

  ClipBatch make_batch(std::int64_t rows, bool pinned) const override {
    const std::vector<std::int64_t> shape{rows, 2, 3, options_.size, options_.size};
    const auto memory = at::TensorOptions().pinned_memory(pinned);
    return {at::empty(shape, memory.dtype(at::kByte)),
            options_.with_lab ? at::empty(shape, memory.dtype(at::kFloat)) : at::Tensor(),
            std::vector<std::int64_t>(rows)};
  }

  SampleReport fill(std::int64_t global_sample, ClipBatch& batch, std::int64_t row) const override {
    const StreamPlace place = stream_place(global_sample, epoch_size());
    return fill_with_replacement(seed_, epoch_size(), place, [&](std::int64_t sample) {
      batch.samples[row] = videos_[sample];
      return render(videos_[sample], place, batch, row);
    });
  }

 private:
  std::optional<BadEntry> render(std::int64_t index,
                                 const StreamPlace& place,
                                 ClipBatch& batch,
                                 std::int64_t row) const {
    const VideoRange& video = shards_->videos()[index];
    CounterRandom start(seed_, Purpose::kClipStart, place.epoch, place.index);
    const ClipFrames frames = draw_clip_frames(start, video.frames, options_.frame_gap);
    const DecodedEntry first = read_entry(*shards_, video.first + frames.reference);
    if (first.bad) return first.bad;
    const DecodedEntry second = read_entry(*shards_, video.first + frames.target);
    if (second.bad) return second.bad;
    const Image& reference = first.image;
    const Image& target = second.image;
    if (reference.width != target.width || reference.height != target.height)
      return other_size(reference, target, video.first + frames.target);

    CounterRandom random(seed_, Purpose::kClipView, place.epoch, place.index);
    const ClipView view = draw_clip_view(random, reference.height, reference.width, options_);
    const int size = options_.size;
    const auto values = std::size_t{3} * size * size;  // of one frame
    const auto first_value = 2 * values * static_cast<std::size_t>(row);
    const std::span rgb(batch.rgb.data_ptr<std::uint8_t>() + first_value, 2 * values);
    std::span<float> first_lab, second_lab;
    if (batch.lab.defined()) {
      const std::span lab(batch.lab.data_ptr<float>() + first_value, 2 * values);
      first_lab = lab.first(values);
      second_lab = lab.last(values);
    }
    render_clip_frame(reference, view, size, rgb.first(values), first_lab);
    render_clip_frame(target, view, size, rgb.last(values), second_lab);
    return std::nullopt;
  }

  BadEntry other_size(const Image& reference, const Image& target, std::int64_t entry) const {
    return {entry,
            text("{}: the frame is {} x {} pixels; expected {} x {}, as in an earlier frame of its "
                 "video",
                 shards_->place(entry),
                 target.width,
                 target.height,
                 reference.width,
                 reference.height)};
  }

  std::shared_ptr<const ShardSet> shards_;
  std::vector<std::int64_t> videos_;  ///< indices into shards_->videos()
  std::uint64_t seed_;
  ClipOptions options_;
};

}  // namespace

BadEntries::BadEntries(std::int64_t entries, double max_fraction)
    : entries_(entries), max_fraction_(max_fraction) {}

void BadEntries::add(const SampleReport& report) {
  for (const BadEntry& bad : report.bad) {
    if (!seen_.insert(bad.entry).second) continue;
    log::warning("{}; another entry takes its place", bad.what);
    constexpr std::size_t kNamed = 3;
    if (first_.size() < kNamed) first_.push_back(bad.what);
  }
  // In a set of a few dozen one bad entry is above any sensible fraction; it is replaced all the
  // same.
  const double share = max_fraction_ * static_cast<double>(entries_);
  const auto allowed =
      max_fraction_ > 0 ? std::max<std::int64_t>(1, static_cast<std::int64_t>(share)) : 0;
  STC_CHECK_DATA(
      count() <= allowed,
      "{} of {} entries are bad so far; at most {} are allowed (max_bad_fraction is {}). The "
      "first: {}. `stc verify` lists all with a wrong checksum; pack the data again.",
      count(),
      entries_,
      allowed,
      max_fraction_,
      first_ones());
  STC_CHECK_DATA(report.filled,
                 "{} entries drawn in a row are bad; a good one was expected among them. The "
                 "first: {}. Pack the data again.",
                 report.bad.size(),
                 first_ones());
}

std::string BadEntries::first_ones() const { return joined(first_, {}, " | "); }

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

std::unique_ptr<SampleSource<ClipBatch>> make_clip_source(std::shared_ptr<const ShardSet> shards,
                                                          std::uint64_t seed,
                                                          const ClipOptions& options) {
  options.check();
  STC_CHECK_DATA(
      shards->kind() == ShardKind::kVideos,
      "the shards hold images; this step trains on videos. Make them with `stc pack videos`.");
  std::vector<std::int64_t> usable = usable_videos(*shards);
  const std::size_t all = shards->videos().size();
  STC_CHECK_DATA(!usable.empty(),
                 "none of {} videos has two frames; a clip needs two. Pack longer videos.",
                 all);
  if (usable.size() < all)
    log::warning("{} of {} videos have a single frame; a clip needs two, so they are left out",
                 all - usable.size(),
                 all);
  run_opencv_on_the_callers_thread();
  return std::make_unique<ShardClips>(std::move(shards), std::move(usable), seed, options);
}

}  // namespace stc::data
