#include "data/synthetic/clips.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <opencv2/imgproc.hpp>

#include "data/file.h"
#include "data/folder_listing.h"
#include "data/images/image.h"
#include "data/random.h"
#include "data/result_folder.h"
#include "data/synthetic/cast.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPhotosPerClip = 4;
constexpr int kJpegQuality = 92;
constexpr double kSpare = 1.34;  // how far a photograph reaches beyond the frame
constexpr std::uint64_t kShuffle = std::uint64_t{1} << 40;  // a stream of draws that no clip uses

std::string numbered(const char* format, int number) {
  char name[32];
  std::snprintf(name, sizeof(name), format, number);
  return name;
}

std::vector<std::string> find_photos(const std::vector<std::string>& sources) {
  std::vector<std::string> paths;
  for (const auto& source : sources) {
    STC_CHECK_DATA(fs::exists(source), "{}: no such folder or photograph", source);
    if (!fs::is_directory(source)) {
      paths.push_back(source);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(source)) {
      if (entry.is_regular_file() && has_ending(entry.path(), {".jpg", ".jpeg", ".png"}))
        paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end(), natural_less);
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
  STC_CHECK_DATA(paths.size() >= kPhotosPerClip,
                 "found {} photograph(s) (*.jpg, *.jpeg, *.png) in {}{}; a clip is made of {} "
                 "different ones. Name more folders",
                 paths.size(),
                 sources.empty() ? "" : sources.front(),
                 sources.size() > 1 ? " and the other folders" : "",
                 kPhotosPerClip);
  return paths;
}

/// Four different ones. Clips share none until all photographs have been used.
std::vector<std::string> photos_of_clip(std::vector<std::string> paths,
                                        std::uint64_t seed,
                                        int clip) {
  const auto clips_per_round = paths.size() / kPhotosPerClip;
  const auto round = static_cast<std::size_t>(clip) / clips_per_round;
  const auto first = static_cast<std::size_t>(clip) % clips_per_round * kPhotosPerClip;
  CounterRandom random(seed, Purpose::kSyntheticClip, round, kShuffle);
  for (std::size_t i = paths.size() - 1; i > 0; --i) {
    const auto other = random.integer(0, static_cast<std::int64_t>(i));
    std::swap(paths[i], paths[static_cast<std::size_t>(other)]);
  }
  return {paths.begin() + first, paths.begin() + first + kPhotosPerClip};
}

/// Scaled so that it covers the frame with a third to spare: the frame's pixels then are about the
/// photograph's.
std::shared_ptr<const Image> read_photo(const std::string& path, int height, int width) {
  Image photo = read_image(path);
  const double scale = kSpare * std::max(static_cast<double>(height) / photo.height,
                                         static_cast<double>(width) / photo.width);
  Image scaled = blank_image(static_cast<int>(std::ceil(photo.height * scale)),
                             static_cast<int>(std::ceil(photo.width * scale)));
  const cv::Mat from(photo.height, photo.width, CV_8UC3, photo.pixels.data());
  cv::Mat to(scaled.height, scaled.width, CV_8UC3, scaled.pixels.data());
  cv::resize(from, to, to.size(), 0, 0, scale < 1 ? cv::INTER_AREA : cv::INTER_CUBIC);
  return std::make_shared<const Image>(std::move(scaled));
}

void write_frames(const Scene& scene, const fs::path& root, const std::string& name, int frames) {
  const auto images = root / "JPEGImages" / "480p" / name;
  const auto annotations = root / "Annotations" / "480p" / name;
  fs::create_directories(images);
  fs::create_directories(annotations);
  for (int frame = 0; frame < frames; ++frame) {
    const double t = frame / (frames - 1.0);
    const auto stem = numbered("%05d", frame);
    write_file((images / (stem + ".jpg")).string(),
               encode_jpeg(draw_image(scene, t), kJpegQuality));
    write_label_png((annotations / (stem + ".png")).string(), draw_labels(scene, t));
  }
}

void write_tree(const std::vector<std::string>& photos,
                const fs::path& root,
                const SyntheticClipOptions& options) {
  std::string names;
  std::string sources;
  for (int clip = 0; clip < options.clips; ++clip) {
    const auto name = numbered("clip-%02d", clip);
    std::vector<std::shared_ptr<const Image>> images;
    for (const auto& path : photos_of_clip(photos, options.seed, clip)) {
      images.push_back(read_photo(path, options.height, options.width));
      sources += text("{}\t{}\n", name, path);
    }
    const int objects = 1 + clip % 2;
    write_frames(cast_scene(images, options, objects, clip), root, name, options.frames);
    names += name + "\n";
  }
  write_text(root / "sources.txt", sources);
  const auto lists = root / "ImageSets" / "2017";
  fs::create_directories(lists);
  write_text(lists / "val.txt", names);
}

}  // namespace

void SyntheticClipOptions::check() const {
  const auto within = [](const char* option, int value, int least, int most) {
    STC_CHECK_USAGE(
        value >= least && value <= most, "{} is {}; expected {} to {}", option, value, least, most);
  };
  within("--clips", clips, 1, 100);
  within("--frames", frames, 3, 10000);
  within("--height", height, 64, 4096);
  within("--width", width, 64, 4096);
}

void synthesize_clips(const std::vector<std::string>& photos,
                      const std::string& out,
                      const SyntheticClipOptions& options) {
  options.check();
  ResultFolder folder(
      out, options.replace, {"Annotations", "ImageSets", "JPEGImages", "sources.txt"});
  write_tree(find_photos(photos), folder.path(), options);
  folder.finish();
}

}  // namespace stc::data
