#include <ATen/ATen.h>

#include <utility>

#include "data/augment/clip_augment.h"
#include "data/loading/sample_source.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::data {
namespace {

/// Videos that hold a clip of two frames.
std::vector<std::int64_t> usable_videos(const ShardSet& shards) {
  std::vector<std::int64_t> usable;
  const std::vector<VideoRange>& videos = shards.videos();
  for (std::size_t i = 0; i < videos.size(); ++i)
    if (videos[i].frames >= 2) usable.push_back(static_cast<std::int64_t>(i));
  return usable;
}

class ShardClips : public ClipSource {
 public:
  ShardClips(std::shared_ptr<const ShardSet> shards,
             std::vector<std::int64_t> videos,
             std::uint64_t seed,
             const ClipOptions& options)
      : shards_(std::move(shards)), videos_(std::move(videos)), seed_(seed), options_(options) {}

  std::int64_t epoch_size() const override { return static_cast<std::int64_t>(videos_.size()); }
  std::int64_t entries() const override { return shards_->size(); }

  ClipBatch make_batch(std::int64_t rows) const override {
    const std::int64_t size = options_.size;
    return {at::empty({rows, 2, 3, size, size}, at::kByte),
            at::empty({rows, 2, 3, size, size}, at::kFloat),
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
    const std::int64_t frame_values = std::int64_t{3} * size * size;
    std::uint8_t* rgb = batch.rgb.data_ptr<std::uint8_t>() + row * 2 * frame_values;
    float* lab = batch.lab.data_ptr<float>() + row * 2 * frame_values;
    render_clip_frame(reference, view, size, rgb, lab);
    render_clip_frame(target, view, size, rgb + frame_values, lab + frame_values);
    return std::nullopt;
  }

  BadEntry other_size(const Image& reference, const Image& target, std::int64_t entry) const {
    return {entry,
            text("{}: the frame is {} x {} pixels; {} x {} are expected, as in an earlier frame of "
                 "its video",
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

void check(const ClipOptions& options) {
  STC_CHECK_USAGE(options.size >= 32 && options.size % 32 == 0 && options.size <= 4096,
                  "clip size is {}; a multiple of 32 up to 4096 pixels is expected",
                  options.size);
  STC_CHECK_USAGE(
      options.frame_gap >= 1, "frame gap is {}; at least 1 is expected", options.frame_gap);
  STC_CHECK_USAGE(options.min_area > 0 && options.min_area <= 1,
                  "smallest crop area is {}; a fraction above 0 and at most 1 is expected",
                  options.min_area);
  STC_CHECK_USAGE(options.min_aspect > 0 && options.min_aspect <= options.max_aspect,
                  "crop width / height is {} to {}; positive numbers in rising order are expected",
                  options.min_aspect,
                  options.max_aspect);
}

}  // namespace

std::unique_ptr<ClipSource> make_clip_source(std::shared_ptr<const ShardSet> shards,
                                             std::uint64_t seed,
                                             const ClipOptions& options) {
  check(options);
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
