#include "data/benchmarks/davis.h"

#include <algorithm>
#include <filesystem>

#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

/// With or without the resolution's level: users have both.
fs::path with_resolution(const fs::path& folder) {
  return fs::is_directory(folder / "480p") ? folder / "480p" : folder;
}

void check_first_frame(const DavisSequence& sequence) {
  const auto first = fs::path(sequence.images.front()).stem();
  const bool is_annotated = std::any_of(
      sequence.annotations.begin(), sequence.annotations.end(), [&](const std::string& path) {
        return fs::path(path).stem() == first;
      });
  STC_CHECK_DATA(is_annotated,
                 "{}: the first frame has no annotation; expected {}.png",
                 sequence.images.front(),
                 (fs::path(sequence.annotations.front()).parent_path() / first).string());
}

}  // namespace

std::string annotation_folder(const std::string& root) {
  STC_CHECK_DATA(fs::is_directory(root),
                 "{}: no such folder; expected a DAVIS root, or a folder of SEQ/*.png",
                 root);
  const fs::path annotations = fs::path(root) / "Annotations";
  return with_resolution(fs::is_directory(annotations) ? annotations : fs::path(root)).string();
}

std::vector<DavisSequence> open_davis(const std::string& root, const DavisOptions& options) {
  const fs::path annotations = annotation_folder(root);
  const fs::path images = with_resolution(fs::path(root) / "JPEGImages");
  if (options.need_images) {
    STC_CHECK_DATA(fs::is_directory(images),
                   "{}: holds no JPEGImages folder; expected a DAVIS root with "
                   "JPEGImages/[480p/]SEQ and Annotations/[480p/]SEQ",
                   root);
  }
  const auto names = sequence_names(
      options,
      {fs::path(root) / "ImageSets/2017/val.txt"},
      annotations,
      "folders of masks (SEQ/*.png), or a DAVIS root with Annotations/[480p/]SEQ/*.png");
  return open_sequences(names, annotations, images, options, check_first_frame);
}

}  // namespace stc::data
