#include "data/packing/pack_sources.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <set>
#include <tuple>

#include "data/file.h"
#include "data/images/frame_source.h"
#include "data/images/image.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

bool is_image(const fs::path& path) { return is_image_file(path.string()); }

bool is_video(const fs::path& path) {
  return has_ending(path.string(),
                    {".mp4",
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
                     ".3gp"});
}

/// Every folder below `root` and itself, once: links to folders are followed, loops of them are
/// not.
std::vector<fs::path> folders_below(const fs::path& root) {
  std::set<fs::path> seen = {fs::canonical(root)};
  std::vector<fs::path> folders = {root};
  for (std::size_t i = 0; i < folders.size(); ++i) {
    std::error_code error;
    fs::directory_iterator entries(folders[i], error);
    STC_CHECK_DATA(!error, "{}: cannot be listed: {}", folders[i].string(), error.message());
    for (const auto& entry : entries) {
      if (entry.is_directory() && seen.insert(fs::canonical(entry.path())).second)
        folders.push_back(entry.path());
    }
  }
  return folders;
}

std::vector<fs::path> files_of(const fs::path& folder, bool (*keep)(const fs::path&)) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.is_regular_file() && keep(entry.path())) files.push_back(entry.path());
  }
  return files;
}

std::string relative_name(const fs::path& path, const fs::path& root) {
  const auto name = path.lexically_relative(root).string();
  return name == "." || name.empty() ? fs::canonical(path).filename().string() : name;
}

/// Lines of a text file; a path in it may be absolute or relative to the list's folder.
void add_list(const fs::path& list, std::vector<PackSource>& found) {
  std::ifstream file(list);
  for (std::string line; std::getline(file, line);) {
    STC_CHECK_DATA(line.find('\0') == std::string::npos,
                   "{}: is no folder, no image, and no text file with one path a line",
                   list.string());
    while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back()))) line.pop_back();
    if (!line.empty()) found.push_back({line, (list.parent_path() / line).string()});
  }
}

void sort_by_name(std::vector<PackSource>& found) {
  std::sort(found.begin(), found.end(), [](const PackSource& a, const PackSource& b) {
    return a.name != b.name ? natural_less(a.name, b.name) : natural_less(a.path, b.path);
  });
}

/// Calls find(path, found) for each source, each of which has to bring something.
template <typename Find>
std::vector<PackSource> find_all(const std::vector<std::string>& sources,
                                 const char* what,
                                 const Find& find) {
  std::vector<PackSource> found;
  for (const auto& source : sources) {
    STC_CHECK_DATA(fs::exists(source), "{}: no such file or folder", source);
    const auto before = found.size();
    find(fs::path(source), found);
    STC_CHECK_DATA(found.size() > before, "{}: holds no {}", source, what);
  }
  sort_by_name(found);
  return found;
}

}  // namespace

std::vector<PackSource> find_images(const std::vector<std::string>& sources) {
  return find_all(sources, "JPEG or PNG image", [](const fs::path& source, auto& found) {
    if (!fs::is_directory(source)) {
      if (!is_image(source)) return add_list(source, found);
      found.push_back({source.filename().string(), source.string()});
      return;
    }
    for (const auto& folder : folders_below(source)) {
      for (const auto& file : files_of(folder, is_image))
        found.push_back({relative_name(file, source), file.string()});
    }
  });
}

std::vector<PackSource> find_videos(const std::vector<std::string>& sources) {
  return find_all(
      sources, "video file or folder of images", [](const fs::path& source, auto& found) {
        if (!fs::is_directory(source)) {
          found.push_back({source.filename().string(), source.string()});
          return;
        }
        for (const auto& folder : folders_below(source)) {
          if (!files_of(folder, is_image).empty())
            found.push_back({relative_name(folder, source), folder.string()});
          for (const auto& file : files_of(folder, is_video))
            found.push_back({relative_name(file, source), file.string()});
        }
      });
}

std::vector<std::string> frames_of_folder(const std::string& folder) {
  std::vector<std::string> frames;
  for (const auto& file : files_of(folder, is_image)) frames.push_back(file.string());
  std::sort(frames.begin(), frames.end(), natural_less);
  return frames;
}

void PackOptions::check() const {
  STC_CHECK_USAGE(quality >= 1 && quality <= 100, "--quality is {}; expected 1 to 100", quality);
  STC_CHECK_USAGE(max_side >= 0, "--max-side is {}; expected pixels, or 0 to keep sizes", max_side);
  STC_CHECK_USAGE(shard_bytes >= 1, "--shard-bytes is 0; expected at least 1");
  STC_CHECK_USAGE(threads >= 1, "--threads is {}; expected at least 1", threads);
}

PackSummary summary_of(const Manifest& manifest, std::int64_t skipped) {
  PackSummary summary;
  summary.entries = manifest.count();
  summary.shards = static_cast<std::int64_t>(manifest.shards.size());
  summary.skipped = skipped;
  for (const auto& shard : manifest.shards) summary.bytes += shard.bytes;
  return summary;
}

void BadSources::add(const std::string& error) {
  ++count_;
  if (may_skip_ || count_ <= kMostNamed)
    log::warning("{}", (may_skip_ ? "left out: " : "") + error);
}

void BadSources::check(std::int64_t sources) const {
  STC_CHECK_DATA(!is_fatal(),
                 "{}{} of {} sources cannot be used (named above), nothing was written; repair or "
                 "remove them, or leave them out with --skip-bad",
                 is_enough() ? "at least " : "",
                 count_,
                 sources);
}

}  // namespace stc::data
