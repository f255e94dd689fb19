#include "data/benchmarks/clip_lists.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>

#include "data/folder_listing.h"
#include "data/result_folder.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

std::string trimmed(const std::string& line) {
  const auto first = line.find_first_not_of(" \t");
  if (first == std::string::npos) return "";
  return line.substr(first, line.find_last_not_of(" \t") - first + 1);
}

std::vector<std::string> columns_of(std::string line) {
  std::ranges::replace(line, ',', ' ');
  std::istringstream words(line);
  std::vector<std::string> columns;
  for (std::string word; words >> word;) columns.push_back(word);
  return columns;
}

bool is_header(const std::string& line) {
  static constexpr std::array kWords = {
      "sequence", "sequences", "name",  "names",      "video",  "videos",         "clip",
      "clips",    "path",      "paths", "image",      "images", "frame",          "frames",
      "mask",     "masks",     "split", "annotation", "label",  "joints",         "annotations",
      "labels",   "id",        "class", "seq",        "folder", "joint_positions"};
  return std::ranges::all_of(columns_of(line), [](const std::string& column) {
    return std::ranges::find(kWords, lower_case(column)) != kWords.end();
  });
}

// Whether a folder of a tree ends here, and its sequences' folders begin.
bool is_above_sequences(const std::string& part) {
  static constexpr std::array kFolders = {"jpegimages", "annotations", "images", "category_ids"};
  return std::ranges::find(kFolders, lower_case(part)) != kFolders.end();
}

bool is_level(const std::string& part) {
  return part == "480p" || part == "1080p" || part == "Full-Resolution";
}

// The sequence that a path belongs to: what follows the folder of images or masks and its level,
// without a frame's name.
std::string sequence_of(const std::string& written) {
  fs::path path = fs::path(without_slash(written)).relative_path();
  if (has_ending(path, {".png", ".jpg", ".jpeg"})) path = path.parent_path();
  fs::path name;
  for (const auto& part : path) {
    if (part == "." || (name.empty() && is_level(part))) continue;
    name = is_above_sequences(part) ? fs::path() : name / part;
  }
  return name.string();
}

// A name may hold spaces; paths are told from it by their slashes.
std::string sequence_of_line(const std::string& list, const std::string& line) {
  if (line.find('/') == std::string::npos) return line;
  const auto columns = columns_of(line);
  const auto name = sequence_of(columns.front());
  const bool is_pair = columns.size() == 2 && name == sequence_of(columns.back());
  STC_CHECK_DATA(!name.empty() && (columns.size() == 1 || is_pair),
                 "{}: holds the line '{}'; expected the name of one sequence, or the paths of an "
                 "image and of its mask",
                 list,
                 line);
  return name;
}

// Without empty ones and comments.
std::vector<std::string> lines_of(const std::string& path, const std::string& expected) {
  std::ifstream file(path, std::ios::binary);
  STC_CHECK_DATA(fs::is_regular_file(path) && file,
                 "{}: the split file cannot be read; expected a text file with {} per line",
                 path,
                 expected);
  std::string content((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  STC_CHECK_DATA(content.find('\0') == std::string::npos,
                 "{}: is not plain text (perhaps UTF-16); save it as UTF-8",
                 path);
  if (content.starts_with("\xef\xbb\xbf")) content.erase(0, 3);
  std::ranges::replace(content, '\r', '\n');
  std::istringstream in(content);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) {
    line = trimmed(line);
    if (!line.empty() && !line.starts_with('#')) lines.push_back(line);
  }
  return lines;
}

}  // namespace

std::vector<std::string> read_list(const std::string& path,
                                   const std::string& expected,
                                   const std::function<bool(const std::string& line)>& is_clip) {
  auto lines = lines_of(path, expected);
  const bool has_header =
      !lines.empty() && is_header(lines.front()) && !(is_clip && is_clip(lines.front()));
  if (has_header) {
    log::info("{}: the first line, '{}', is taken for a header", path, lines.front());
    lines.erase(lines.begin());
  }
  STC_CHECK_DATA(!lines.empty(), "{}: lists no sequence; expected {} per line", path, expected);
  return lines;
}

std::vector<std::string> read_sequence_list(const std::string& path, const std::string& folder) {
  const auto is_sequence = [&](const std::string& line) {
    return fs::is_directory(fs::path(folder) / line);
  };
  std::vector<std::string> names;
  std::set<std::string> seen;
  for (const auto& line : read_list(path, "one sequence name", is_sequence)) {
    const auto name = sequence_of_line(path, line);
    const bool is_next_frame = !names.empty() && names.back() == name &&
                               has_ending(columns_of(line).front(), {".png", ".jpg", ".jpeg"});
    if (is_next_frame) continue;
    STC_CHECK_DATA(seen.insert(name).second,
                   "{}: sequence '{}' is listed twice; every sequence may be listed once",
                   path,
                   name);
    names.push_back(name);
  }
  return names;
}

}  // namespace stc::data
