#include "data/loading/sample_source.h"

#include <ATen/ATen.h>

#include <utility>

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

class ShardClips : public SampleSource<ClipBatch> {
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
    const auto values = std::size_t{3} * size * size;  // of one frame
    const auto first_value = 2 * values * static_cast<std::size_t>(row);
    const std::span rgb(batch.rgb.data_ptr<std::uint8_t>() + first_value, 2 * values);
    const std::span lab(batch.lab.data_ptr<float>() + first_value, 2 * values);
    render_clip_frame(reference, view, size, rgb.first(values), lab.first(values));
    render_clip_frame(target, view, size, rgb.last(values), lab.last(values));
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
