#include "data/folder_listing.h"

#include <strings.h>

#include <algorithm>
#include <filesystem>
#include <set>

#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t end_of_digits(const std::string& text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

fs::directory_iterator entries_of(const std::string& folder) {
  std::error_code error;
  fs::directory_iterator entries(folder, error);
  STC_CHECK_DATA(!error, "{}: cannot be listed: {}", folder, error.message());
  return entries;
}

}  // namespace

bool natural_less(const std::string& a, const std::string& b) {
  const auto rank = [](char c) { return c == '/' ? 0 : 1 + static_cast<unsigned char>(c); };
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < a.size() && j < b.size()) {
    if (!is_digit(a[i]) || !is_digit(b[j])) {
      if (a[i] != b[j]) return rank(a[i]) < rank(b[j]);
      ++i;
      ++j;
      continue;
    }
    // Two numbers: without leading zeros the longer is larger, and of equal length the later in the
    // alphabet.
    while (i < a.size() && a[i] == '0') ++i;
    while (j < b.size() && b[j] == '0') ++j;
    const std::size_t a_end = end_of_digits(a, i);
    const std::size_t b_end = end_of_digits(b, j);
    if (a_end - i != b_end - j) return a_end - i < b_end - j;
    const int order = a.compare(i, a_end - i, b, j, b_end - j);
    if (order != 0) return order < 0;
    i = a_end;
    j = b_end;
  }
  if (i < a.size() || j < b.size()) return i == a.size();
  return a < b;  // differ in leading zeros alone, or not at all
}

bool has_ending(const std::string& path, const std::vector<std::string>& endings) {
  const auto own = fs::path(path).extension();
  return std::any_of(endings.begin(), endings.end(), [&](const std::string& ending) {
    return ::strcasecmp(own.c_str(), ending.c_str()) == 0;
  });
}

std::vector<std::string> list_files(const std::string& folder,
                                    const std::function<bool(const std::string& path)>& keep) {
  std::vector<std::string> files;
  for (const auto& entry : entries_of(folder)) {
    if (entry.is_regular_file() && keep(entry.path())) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end(), natural_less);
  return files;
}

std::vector<std::string> list_files(const std::string& folder,
                                    const std::vector<std::string>& endings) {
  return list_files(folder, [&](const std::string& path) { return has_ending(path, endings); });
}

std::vector<std::string> folders_below(const std::string& root) {
  std::set<fs::path> seen = {fs::canonical(root)};
  std::vector<std::string> folders = {root};
  for (std::size_t i = 0; i < folders.size(); ++i) {
    for (const auto& entry : entries_of(folders[i])) {
      if (entry.is_directory() && seen.insert(fs::canonical(entry.path())).second)
        folders.push_back(entry.path());
    }
  }
  return folders;
}

}  // namespace stc::data
