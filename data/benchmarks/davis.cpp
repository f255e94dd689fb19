#include "data/benchmarks/davis.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <set>

#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

// The levels of resolution that DAVIS comes in, the benchmark's own first.
constexpr std::array kLevels = {"480p", "1080p", "Full-Resolution"};

// The level that all of `folders` have; "" if they hold the sequences themselves.
std::string level_of(const std::vector<fs::path>& folders) {
  std::vector<std::string> found;
  for (const char* level : kLevels) {
    const auto has_level = [&](const fs::path& folder) { return fs::is_directory(folder / level); };
    if (std::ranges::all_of(folders, has_level)) found.emplace_back(level);
  }
  if (found.empty()) return "";
  if (found.size() > 1)
    log::info("{}: holds {}; {} is taken", folders.front().string(), joined(found), found.front());
  return found.front();
}

fs::path below(const fs::path& folder, const std::string& level) {
  return level.empty() ? folder : folder / level;
}

fs::path annotations_below(const std::string& root) {
  STC_CHECK_DATA(fs::is_directory(root),
                 "{}: no such folder; expected a DAVIS root, or a folder of SEQ/*.png",
                 root);
  const fs::path annotations = fs::path(root) / "Annotations";
  return fs::is_directory(annotations) ? annotations : fs::path(root);
}

void check_frames(const DavisSequence& sequence) {
  const auto first = fs::path(sequence.images.front()).stem();
  const bool is_annotated = std::any_of(
      sequence.annotations.begin(), sequence.annotations.end(), [&](const std::string& path) {
        return fs::path(path).stem() == first;
      });
  STC_CHECK_DATA(is_annotated,
                 "{}: the first frame has no annotation; expected {}.png",
                 sequence.images.front(),
                 (fs::path(sequence.annotations.front()).parent_path() / first).string());
  std::set<std::string> frames;
  for (const auto& image : sequence.images) frames.insert(fs::path(image).stem());
  for (const auto& annotation : sequence.annotations) {
    const auto frame = fs::path(annotation).stem().string();
    STC_CHECK_DATA(frames.contains(frame),
                   "{}: has no image; expected {}.jpg",
                   annotation,
                   (fs::path(sequence.images.front()).parent_path() / frame).string());
  }
}

}  // namespace

std::string annotation_folder(const std::string& root) {
  const auto annotations = annotations_below(root);
  return below(annotations, level_of({annotations})).string();
}

std::vector<DavisSequence> open_davis(const std::string& root, const DavisOptions& options) {
  fs::path annotations = annotations_below(root), images = fs::path(root) / "JPEGImages";
  if (options.need_images) {
    STC_CHECK_DATA(fs::is_directory(images),
                   "{}: holds no JPEGImages folder; expected a DAVIS root with "
                   "JPEGImages/[480p/]SEQ and Annotations/[480p/]SEQ",
                   root);
  }
  const auto level =
      level_of(options.need_images ? std::vector{annotations, images} : std::vector{annotations});
  annotations = below(annotations, level);
  images = below(images, level);
  const auto lists = fs::path(root) / "ImageSets";
  const auto names = sequence_names(
      options,
      {lists / "2017/val.txt",
       lists / "2016/val.txt",
       lists / "480p/val.txt",
       lists / "1080p/val.txt",
       lists / "val.txt",
       lists / "2017/test-dev.txt",
       lists / "2017/test-challenge.txt"},
      annotations,
      "folders of masks (SEQ/*.png), or a DAVIS root with Annotations/[480p/]SEQ/*.png");
  return open_sequences(names, annotations, images, options, check_frames);
}

}  // namespace stc::data
