#include "data/packing/pack_videos.h"

#include <filesystem>
#include <optional>

#include "data/images/frame_source.h"
#include "data/in_order.h"
#include "data/packing/pack_sources.h"
#include "data/packing/stored_image.h"
#include "data/shards/shard_writer.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

constexpr std::int64_t kFewestFrames = 2;  // training takes pairs

/// Frames of a folder keep their files' bytes. Returns how many there are; throws for the first bad
/// one.
std::int64_t add_folder(const PackSource& source, const PackOptions& options, ShardWriter& writer) {
  const auto frames = frames_of_folder(source.path);
  std::string error;
  const auto make = [&](std::size_t i) { return store_file(frames[i], options); };
  const auto consume = [&](std::size_t i, StoredImage frame) {
    error = frame.error;
    const auto file = std::filesystem::path(frames[i]).filename().string();
    if (error.empty()) writer.add(source.name + "/" + file, frame.bytes);
    return error.empty();
  };
  in_order(frames.size(), options.threads, make, consume);
  STC_CHECK_DATA(error.empty(), "{}", error);
  return static_cast<std::int64_t>(frames.size());
}

/// Frames of a video file are decoded in turn and encoded side by side, a few at a time.
std::int64_t add_file(const PackSource& source, const PackOptions& options, ShardWriter& writer) {
  const auto video = FrameSource::open(source.path);
  const auto batch = std::size_t{4} * static_cast<std::size_t>(options.threads);
  std::int64_t count = 0;
  std::vector<Image> frames;
  do {
    frames.clear();
    while (frames.size() < batch) {
      auto frame = video->next();
      if (!frame) break;
      frames.push_back(std::move(*frame));
    }
    const auto make = [&](std::size_t i) { return store_frame(frames[i], options); };
    const auto consume = [&](std::size_t, const StoredImage& frame) {
      writer.add(text("{}#{}", source.name, count++), frame.bytes);
      return true;
    };
    in_order(frames.size(), options.threads, make, consume);
  } while (frames.size() == batch);
  return count;
}

/// What is wrong with the video; empty where it was added.
std::string add_video(const PackSource& source, const PackOptions& options, ShardWriter& writer) {
  writer.begin_video(source.name);
  try {
    const bool is_folder = std::filesystem::is_directory(source.path);
    const auto frames =
        is_folder ? add_folder(source, options, writer) : add_file(source, options, writer);
    STC_CHECK_DATA(frames >= kFewestFrames,
                   "{}: has {} frame; a video needs at least {}",
                   source.path,
                   frames,
                   kFewestFrames);
  } catch (const Error& cause) {
    if (cause.exit() != Exit::kBadData) throw;
    writer.drop_video();
    return cause.what();
  }
  writer.end_video();
  return "";
}

}  // namespace

PackSummary pack_videos(const std::vector<std::string>& sources, const PackOptions& options) {
  options.check();
  const auto videos = find_videos(sources);
  const auto total = static_cast<std::int64_t>(videos.size());
  const auto existing = options.force ? Existing::kReplace : Existing::kRefuse;
  ShardWriter writer(options.out, ShardKind::kVideos, options.shard_bytes, existing);
  BadSources bad(options);
  for (std::int64_t i = 0; i < total && !bad.is_enough(); ++i) {
    const auto error = add_video(videos[i], options, writer);
    if (!error.empty()) bad.add(error);
    options.progress(i + 1, total);
  }
  bad.check(total);
  auto summary = summary_of(writer.finish(), bad.count());
  summary.videos = total - bad.count();
  return summary;
}

}  // namespace stc::data
