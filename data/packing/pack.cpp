#include "data/packing/pack.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <opencv2/imgproc.hpp>

#include "data/file.h"
#include "data/folder_listing.h"
#include "data/images/image.h"
#include "data/images/image_codecs.h"
#include "data/in_order.h"
#include "data/shards/shard_writer.h"
#include "data/video/frame_source.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

/// One image or video to pack.
struct PackSource {
  std::string name;  ///< relative to the source that was given
  std::string path;
};
using Sources = std::vector<PackSource>;

const std::vector<std::string> kVideoEndings = {".mp4",
                                                ".m4v",
                                                ".mov",
                                                ".avi",
                                                ".mkv",
                                                ".webm",
                                                ".mpg",
                                                ".mpeg",
                                                ".wmv",
                                                ".flv",
                                                ".ogv",
                                                ".3gp"};

PackSource source_below(const fs::path& path, const fs::path& root) {
  const auto name = path.lexically_relative(root).string();
  if (name != "." && !name.empty()) return {name, path.string()};
  return {fs::canonical(path).filename().string(), path.string()};
}

PackSource single_file(const fs::path& path) { return {path.filename().string(), path.string()}; }

/// Lines of a text file; a path in it may be absolute or relative to the list's folder.
Sources listed_in(const fs::path& list) {
  Sources found;
  std::ifstream file(list);
  for (std::string line; std::getline(file, line);) {
    STC_CHECK_DATA(line.find('\0') == std::string::npos,
                   "{}: is not a folder, an image, or a text file with one path per line",
                   list.string());
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
    if (!line.empty()) found.push_back({line, (list.parent_path() / line).string()});
  }
  return found;
}

Sources images_of(const std::string& source) {
  if (!fs::is_directory(source))
    return is_image_file(source) ? Sources{single_file(source)} : listed_in(source);
  Sources found;
  for (const auto& folder : folders_below(source)) {
    for (const auto& file : list_images(folder)) found.push_back(source_below(file, source));
  }
  return found;
}

Sources videos_of(const std::string& source) {
  if (!fs::is_directory(source)) return {single_file(source)};
  Sources found;
  for (const auto& folder : folders_below(source)) {
    if (!list_images(folder).empty()) found.push_back(source_below(folder, source));
    for (const auto& file : list_files(folder, kVideoEndings))
      found.push_back(source_below(file, source));
  }
  return found;
}

/// What `find` brings for each source, in natural order of the name. Throws stc::Error (kBadData)
/// for a source that is missing or holds nothing to pack; `what` says what was expected.
Sources find_all(const std::vector<std::string>& sources,
                 const char* what,
                 Sources (*find)(const std::string&)) {
  Sources all;
  for (const auto& source : sources) {
    STC_CHECK_DATA(fs::exists(source), "{}: no such file or folder", source);
    const auto found = find(source);
    STC_CHECK_DATA(!found.empty(), "{}: holds no {}", source, what);
    all.insert(all.end(), found.begin(), found.end());
  }
  std::sort(all.begin(), all.end(), [](const PackSource& a, const PackSource& b) {
    return a.name != b.name ? natural_less(a.name, b.name) : natural_less(a.path, b.path);
  });
  return all;
}

constexpr std::int64_t kMinFrames = 2;  // training takes pairs

/// What a shard keeps of one image: its own bytes if it can, a new JPEG if it must.
struct StoredImage {
  std::vector<std::uint8_t> bytes;
  std::string error;  ///< not empty: what is wrong with the file, which it names
};

bool is_too_large(const Image& image, int max_side) {
  return max_side > 0 && std::max(image.height, image.width) > max_side;
}

// INTER_AREA averages over the area that a pixel covers, so nothing is aliased.
Image shrunk(const Image& image, int max_side) {
  const double scale = static_cast<double>(max_side) / std::max(image.height, image.width);
  Image result = blank_image(std::max(1, static_cast<int>(std::lround(image.height * scale))),
                             std::max(1, static_cast<int>(std::lround(image.width * scale))));
  const cv::Mat from(
      image.height, image.width, CV_8UC3, const_cast<std::uint8_t*>(image.pixels.data()));
  cv::Mat to(result.height, result.width, CV_8UC3, result.pixels.data());
  cv::resize(from, to, to.size(), 0, 0, cv::INTER_AREA);
  return result;
}

StoredImage store_frame(const Image& frame, const PackOptions& options) {
  const bool shrinks = is_too_large(frame, options.max_side);
  return {encode_jpeg(shrinks ? shrunk(frame, options.max_side) : frame, options.quality), ""};
}

/// Decodes the file, so that a damaged one is found before training.
StoredImage store_file(const std::string& path, const PackOptions& options) {
  try {
    auto bytes = read_file(path);
    const auto image = decode_image(bytes, path, options.apply_orientation);
    const bool turns = options.apply_orientation && exif_orientation(bytes) != 1;
    if (turns || is_too_large(image, options.max_side)) return store_frame(image, options);
    return {std::move(bytes), ""};
  } catch (const Error& cause) {
    return {{}, cause.what()};
  }
}

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

/// `add_all(writer, bad)` adds every source to the set or counts it as bad.
template <typename AddAll>
PackSummary pack(ShardKind kind,
                 std::size_t sources,
                 const PackOptions& options,
                 const AddAll& add_all) {
  const auto existing = options.force ? Existing::kReplace : Existing::kRefuse;
  ShardWriter writer(options.out, kind, options.shard_bytes, existing);
  BadSources bad(options.skip_bad);
  add_all(writer, bad);
  bad.check(sources);
  const auto manifest = writer.finish();
  PackSummary summary{.entries = manifest.count(),
                      .shards = static_cast<std::int64_t>(manifest.shards.size()),
                      .skipped = bad.count(),
                      .bytes = manifest.bytes()};
  if (kind == ShardKind::kVideos) summary.videos = static_cast<std::int64_t>(sources) - bad.count();
  return summary;
}

/// Frames of a folder keep their files' bytes. Returns their number; throws for the first bad one.
std::int64_t add_folder(const PackSource& source, const PackOptions& options, ShardWriter& writer) {
  const auto frames = list_images(source.path);
  std::string error;
  const auto make = [&](std::size_t i) { return store_file(frames[i], options); };
  const auto consume = [&](std::size_t i, StoredImage frame) {
    error = frame.error;
    const auto file = fs::path(frames[i]).filename().string();
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

/// What is wrong with the video; empty if it was added.
std::string add_video(const PackSource& source, const PackOptions& options, ShardWriter& writer) {
  writer.begin_video(source.name);
  try {
    const bool is_folder = fs::is_directory(source.path);
    const auto frames =
        is_folder ? add_folder(source, options, writer) : add_file(source, options, writer);
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
  STC_CHECK_USAGE(shard_bytes >= 1, "--shard-bytes is 0; expected at least 1");
  STC_CHECK_USAGE(threads >= 1, "--threads is {}; expected at least 1", threads);
}

PackSummary pack_images(const std::vector<std::string>& sources, const PackOptions& options) {
  options.check();
  const auto images = find_all(sources, "JPEG or PNG image", images_of);
  const auto total = static_cast<std::int64_t>(images.size());
  const auto add_all = [&](ShardWriter& writer, BadSources& bad) {
    const auto make = [&](std::size_t i) { return store_file(images[i].path, options); };
    const auto consume = [&](std::size_t i, const StoredImage& image) {
      if (!image.error.empty()) {
        bad.add(image.error);
      } else if (!bad.is_fatal()) {
        writer.add(images[i].name, image.bytes);
      }
      options.progress(static_cast<std::int64_t>(i) + 1, total);
      return !bad.is_enough();
    };
    in_order(images.size(), options.threads, make, consume);
  };
  return pack(ShardKind::kImages, images.size(), options, add_all);
}

PackSummary pack_videos(const std::vector<std::string>& sources, const PackOptions& options) {
  options.check();
  const auto videos = find_all(sources, "video file or folder of images", videos_of);
  const auto add_all = [&](ShardWriter& writer, BadSources& bad) {
    for (std::size_t i = 0; i < videos.size() && !bad.is_enough(); ++i) {
      const auto error = add_video(videos[i], options, writer);
      if (!error.empty()) bad.add(error);
      options.progress(static_cast<std::int64_t>(i) + 1, static_cast<std::int64_t>(videos.size()));
    }
  };
  return pack(ShardKind::kVideos, videos.size(), options, add_all);
}

}  // namespace stc::data
