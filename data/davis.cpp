#include "data/davis.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "data/frame_source.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultSplit = "ImageSets/2017/val.txt";

/// Users have the resolution's level or not; both are taken.
fs::path with_resolution(const fs::path& folder) {
  return fs::is_directory(folder / "480p") ? folder / "480p" : folder;
}

std::string trimmed(const std::string& line) {
  const auto first = line.find_first_not_of(" \t\r");
  if (first == std::string::npos) return "";
  return line.substr(first, line.find_last_not_of(" \t\r") - first + 1);
}

std::vector<std::string> read_split(const fs::path& path) {
  std::ifstream file(path);
  STC_CHECK_DATA(
      fs::is_regular_file(path) && file,
      path.string(),
      ": the split file cannot be read; expected a text file with one sequence name a line");
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (std::string line; std::getline(file, line);) {
    const std::string name = trimmed(line);
    if (name.empty()) continue;
    STC_CHECK_DATA(seen.insert(name).second,
                   path.string(),
                   ": sequence '",
                   name,
                   "' is listed twice; every sequence may be listed once");
    names.push_back(name);
  }
  STC_CHECK_DATA(!names.empty(), path.string(), ": lists no sequence; expected one name a line");
  return names;
}

std::vector<std::string> annotated_sequences(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_directory() && !list_files(entry.path().string(), {".png"}).empty()) {
      names.push_back(entry.path().filename().string());
    }
  }
  std::sort(names.begin(), names.end(), natural_less);
  STC_CHECK_DATA(!names.empty(),
                 folder.string(),
                 ": holds no sequence; expected folders of masks (SEQ/*.png), or a DAVIS root with "
                 "Annotations/[480p/]SEQ/*.png");
  return names;
}

std::vector<std::string> names_of(const fs::path& root,
                                  const fs::path& annotations,
                                  const DavisOptions& options) {
  if (!options.names.empty()) return options.names;
  if (!options.split.empty()) return read_split(options.split);
  if (fs::exists(root / kDefaultSplit)) return read_split(root / kDefaultSplit);
  return annotated_sequences(annotations);
}

std::vector<std::string> frames_of(const fs::path& folder,
                                   const std::string& name,
                                   const std::vector<std::string>& endings) {
  const fs::path sequence = folder / name;
  STC_CHECK_DATA(fs::is_directory(sequence),
                 sequence.string(),
                 ": no such folder; sequence '",
                 name,
                 "' was asked for. Give the right split, or complete the data");
  auto files = list_files(sequence.string(), endings);
  STC_CHECK_DATA(!files.empty(),
                 sequence.string(),
                 ": holds no frame; expected files ending in ",
                 endings.front());
  return files;
}

void check_first_frame(const DavisSequence& sequence) {
  const auto first = fs::path(sequence.images.front()).stem();
  const bool is_annotated = std::any_of(
      sequence.annotations.begin(), sequence.annotations.end(), [&](const std::string& path) {
        return fs::path(path).stem() == first;
      });
  STC_CHECK_DATA(is_annotated,
                 sequence.images.front(),
                 ": the first frame has no annotation; expected ",
                 (fs::path(sequence.annotations.front()).parent_path() / first).string(),
                 ".png");
}

}  // namespace

std::string annotation_folder(const std::string& root) {
  STC_CHECK_DATA(fs::is_directory(root),
                 root,
                 ": no such folder; expected a DAVIS root, or a folder of SEQ/*.png");
  const fs::path annotations = fs::path(root) / "Annotations";
  return with_resolution(fs::is_directory(annotations) ? annotations : fs::path(root)).string();
}

std::vector<DavisSequence> open_davis(const std::string& root, const DavisOptions& options) {
  const fs::path annotations = annotation_folder(root);
  const fs::path images = with_resolution(fs::path(root) / "JPEGImages");
  if (options.need_images) {
    STC_CHECK_DATA(
        fs::is_directory(images),
        root,
        ": holds no JPEGImages folder; expected a DAVIS root with JPEGImages/[480p/]SEQ and "
        "Annotations/[480p/]SEQ");
  }
  std::vector<DavisSequence> sequences;
  for (const auto& name : names_of(root, annotations, options)) {
    DavisSequence sequence;
    sequence.name = name;
    sequence.annotations = frames_of(annotations, name, {".png"});
    if (options.need_images) {
      sequence.images = frames_of(images, name, {".jpg", ".jpeg", ".png"});
      check_first_frame(sequence);
    }
    sequences.push_back(std::move(sequence));
  }
  return sequences;
}

}  // namespace stc::data
