#include "data/packing/pack_sources.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>

#include "data/folder_listing.h"
#include "data/images/image.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

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

/// What `find` brings for each source, which has to be something; `what` says what was expected.
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

}  // namespace

std::vector<PackSource> find_images(const std::vector<std::string>& sources) {
  return find_all(sources, "JPEG or PNG image", images_of);
}

std::vector<PackSource> find_videos(const std::vector<std::string>& sources) {
  return find_all(sources, "video file or folder of images", videos_of);
}

}  // namespace stc::data
