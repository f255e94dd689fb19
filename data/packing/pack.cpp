#include "data/packing/pack.h"

#include <algorithm>
#include <filesystem>

#include "data/in_order.h"
#include "data/packing/sources.h"
#include "data/packing/stored_image.h"
#include "data/shards/shard_writer.h"
#include "data/video/frame_source.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMinFrames = 2;  // training takes pairs

/// Names each bad source in the log; check() throws stc::Error (kBadData) in the end, unless they
/// may be skipped.
class BadSources {
 public:
  explicit BadSources(bool may_skip) : may_skip_(may_skip) {}

  void add(const std::string& error) {
    ++count_;
    if (may_skip_ || count_ <= kMaxNamed)
      log::warning("{}{}", may_skip_ ? "left out: " : "", error);
  }
  std::int64_t count() const { return count_; }
  bool is_fatal() const { return count_ > 0 && !may_skip_; }
  /// Whether there is no point in searching for more.
  bool is_enough() const { return is_fatal() && count_ >= kMaxNamed; }
  void check(std::size_t sources) const {
    STC_CHECK_DATA(!is_fatal(),
                   "{}{} of {} sources cannot be used (named above), nothing was written; repair "
                   "or remove them, or leave them out with --skip-bad",
                   is_enough() ? "at least " : "",
                   count_,
                   sources);
  }

 private:
  static constexpr std::int64_t kMaxNamed = 20;
  bool may_skip_;
  std::int64_t count_ = 0;
};

/// JPEGs without an end marker, which other programs may refuse.
void note_end_marker(const StoredImage& image, const std::string& path, PackRemarks& remarks) {
  if (image.lacks_end_marker)
    remarks.add("JPEG", " taken without an end marker, with all pixels", path);
}

/// `add_all(writer, bad)` adds every source to the set or counts it as bad.
template <typename AddAll>
PackSummary pack(ShardKind kind,
                 const FoundSources& found,
                 const PackOptions& options,
                 const AddAll& add_all) {
  const auto existing = options.force ? Existing::kReplace : Existing::kRefuse;
  ShardWriter writer(options.out, kind, options.shard_bytes, existing);
  BadSources bad(options.skip_bad);
  for (const auto& fault : found.faults) bad.add(fault);
  PackSummary summary;
  if (!bad.is_enough()) add_all(writer, bad, summary);
  bad.check(found.sources.size() + found.faults.size());
  const auto manifest = writer.finish();
  summary.entries = manifest.count();
  summary.shards = static_cast<std::int64_t>(manifest.shards.size());
  summary.skipped = bad.count();
  summary.bytes = manifest.bytes();
  summary.files = found.files;
  summary.folders = found.folders;
  summary.left_out = found.left_out.all();
  return summary;
}

/// Frames of a folder keep their files' bytes. Returns their number; throws for the first bad one.
std::int64_t add_folder(const PackSource& source,
                        const PackOptions& options,
                        ShardWriter& writer,
                        PackRemarks& remarks) {
  const auto& frames = source.frames;
  std::string error;
  PackRemarks own;
  const auto make = [&](std::size_t i) { return store_file(frames[i], options); };
  const auto consume = [&](std::size_t i, StoredImage frame) {
    error = frame.error;
    const auto file = fs::path(frames[i]).filename().string();
    if (error.empty()) writer.add(source.name + "/" + file, frame.bytes);
    note_end_marker(frame, frames[i], own);
    return error.empty();
  };
  in_order(frames.size(), options.threads, make, consume);
  STC_CHECK_DATA(error.empty(), "{}", error);
  remarks.add(own);
  return static_cast<std::int64_t>(frames.size());
}

StoredImage store_decoded(const FrameSource::DecodedFrame& frame, const PackOptions& options) {
  try {
    return store_frame(frame(), options);
  } catch (const Error& cause) {
    return {{}, cause.what(), false};
  }
}

/// A few decoded frames; fewer than `most` at the end.
std::vector<FrameSource::DecodedFrame> decode_some(FrameSource& video, std::size_t most) {
  std::vector<FrameSource::DecodedFrame> frames;
  while (frames.size() < most) {
    auto frame = video.next_frame();
    if (!frame) break;
    frames.push_back(std::move(*frame));
  }
  return frames;
}

/// Frames of a video file are decoded in turn, and made images and JPEGs side by side, a few at a
/// time. Returns their number; throws for a damaged one, since its neighbours build upon it.
std::int64_t add_file(const PackSource& source,
                      const PackOptions& options,
                      ShardWriter& writer,
                      PackRemarks& remarks) {
  const auto video = FrameSource::open(source.path, options.frames_per_second);
  const auto batch = std::size_t{4} * static_cast<std::size_t>(options.threads);
  std::int64_t count = 0;
  std::string error;
  for (std::size_t taken = batch; taken == batch && error.empty();) {
    const auto frames = decode_some(*video, batch);
    taken = frames.size();
    const auto make = [&](std::size_t i) { return store_decoded(frames[i], options); };
    const auto consume = [&](std::size_t, const StoredImage& frame) {
      error = frame.error;
      if (error.empty()) writer.add(text("{}#{}", source.name, count++), frame.bytes);
      return error.empty();
    };
    in_order(frames.size(), options.threads, make, consume);
  }
  STC_CHECK_DATA(error.empty(), "{}", error);
  const auto& damage = video->damage();
  STC_CHECK_DATA(!damage.any(), "{}: {}", source.path, damage.say());
  for (const auto& remark : video->remarks()) remarks.add("video", " with " + remark, source.path);
  return count;
}

/// What is wrong with the video; empty if it was added.
std::string add_video(const PackSource& source,
                      const PackOptions& options,
                      ShardWriter& writer,
                      PackRemarks& remarks) {
  writer.begin_video(source.name);
  try {
    const auto frames = source.frames.empty() ? add_file(source, options, writer, remarks)
                                              : add_folder(source, options, writer, remarks);
    STC_CHECK_DATA(frames >= kMinFrames,
                   "{}: has {} frame; a video needs at least {}",
                   source.path,
                   frames,
                   kMinFrames);
  } catch (const Error& cause) {
    if (cause.exit() != Exit::kBadData) throw;
    writer.drop_video();
    return cause.what();
  }
  writer.end_video();
  return "";
}

}  // namespace

void PackOptions::check() const {
  STC_CHECK_USAGE(quality >= 1 && quality <= 100, "--quality is {}; expected 1 to 100", quality);
  STC_CHECK_USAGE(max_side >= 0, "--max-side is {}; expected pixels, or 0 to keep sizes", max_side);
  STC_CHECK_USAGE(frames_per_second >= 0, "--fps is {}; expected more than 0", frames_per_second);
  STC_CHECK_USAGE(shard_bytes >= 1, "--shard-bytes is 0; expected at least 1");
  STC_CHECK_USAGE(threads >= 1, "--threads is {}; expected at least 1", threads);
}

PackSummary pack_images(const std::vector<std::string>& sources, const PackOptions& options) {
  options.check();
  const auto found = find_images(sources);
  const auto& images = found.sources;
  const auto total = static_cast<std::int64_t>(images.size());
  PackRemarks remarks;
  const auto add_all = [&](ShardWriter& writer, BadSources& bad, PackSummary& summary) {
    const auto make = [&](std::size_t i) { return store_file(images[i].path, options); };
    const auto consume = [&](std::size_t i, const StoredImage& image) {
      if (!image.error.empty()) {
        bad.add(image.error);
      } else if (!bad.is_fatal()) {
        writer.add(images[i].name, image.bytes);
        note_end_marker(image, images[i].path, remarks);
        ++summary.taken;
      }
      options.progress(static_cast<std::int64_t>(i) + 1, total);
      return !bad.is_enough();
    };
    in_order(images.size(), options.threads, make, consume);
  };
  auto summary = pack(ShardKind::kImages, found, options, add_all);
  summary.remarks = remarks.all();
  return summary;
}

PackSummary pack_videos(const std::vector<std::string>& sources, const PackOptions& options) {
  options.check();
  const auto found = find_videos(sources);
  const auto& videos = found.sources;
  PackRemarks remarks;
  const auto add_all = [&](ShardWriter& writer, BadSources& bad, PackSummary& summary) {
    for (std::size_t i = 0; i < videos.size() && !bad.is_enough(); ++i) {
      const auto error = add_video(videos[i], options, writer, remarks);
      if (error.empty()) {
        ++summary.videos;
        summary.taken +=
            static_cast<std::int64_t>(std::max<std::size_t>(videos[i].frames.size(), 1));
      } else {
        bad.add(error);
      }
      options.progress(static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(videos.size()));
    }
  };
  auto summary = pack(ShardKind::kVideos, found, options, add_all);
  summary.remarks = remarks.all();
  return summary;
}

}  // namespace stc::data
