#include "data/folder_listing.h"

#include <strings.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <system_error>

#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::size_t end_of_digits(const std::string& text, std::size_t at) {
  while (at < text.size() && is_digit(text[at])) ++at;
  return at;
}

// What is wrong with a path that cannot be followed.
std::string fault_of(const std::string& path, const std::error_code& error) {
  std::error_code none;
  const auto target = fs::read_symlink(path, none);
  if (none) return text("{}: cannot be accessed: {}", path, error.message());
  if (error == std::errc::too_many_symbolic_link_levels)
    return text("{}: is a link that leads back to itself (by {})", path, target.string());
  if (error == std::errc::no_such_file_or_directory || error == std::errc::not_a_directory)
    return text("{}: is a broken link: {} does not exist", path, target.string());
  return text(
      "{}: is a link to {}, which cannot be accessed: {}", path, target.string(), error.message());
}

FolderEntry followed(const std::string& path) {
  using enum FolderEntry::Kind;
  std::error_code error;
  const auto type = fs::status(path, error).type();
  if (type == fs::file_type::regular) return {path, kFile};
  if (type == fs::file_type::directory) return {path, kFolder};
  if (type == fs::file_type::not_found || type == fs::file_type::none) {
    if (!error) error = std::make_error_code(std::errc::no_such_file_or_directory);
    return {path, kBroken, fault_of(path, error)};
  }
  return {path, kSpecial};
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

std::string lower_case(std::string name) {
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
  return name;
}

bool is_hidden(const std::string& path) {
  return fs::path(path).filename().string().starts_with('.');
}

std::vector<FolderEntry> list_folder(const std::string& folder) {
  std::error_code error;
  std::vector<FolderEntry> entries;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    entries.push_back(followed(at->path().string()));
  STC_CHECK_DATA(!error, "{}: cannot be listed: {}", folder, error.message());
  std::sort(entries.begin(), entries.end(), [](const FolderEntry& a, const FolderEntry& b) {
    return natural_less(a.path, b.path);
  });
  return entries;
}

FolderEntry entry_at(const std::string& path) {
  std::error_code error;
  const bool exists = fs::symlink_status(path, error).type() != fs::file_type::not_found;
  STC_CHECK_DATA(exists, "{}: no such file or folder", path);
  return followed(path);
}

std::vector<std::string> list_files(const std::string& folder,
                                    const std::function<bool(const std::string& path)>& keep) {
  std::vector<std::string> files;
  for (const auto& entry : list_folder(folder)) {
    const bool is_broken = entry.kind == FolderEntry::Kind::kBroken;
    if ((!is_broken && entry.kind != FolderEntry::Kind::kFile) || !keep(entry.path)) continue;
    STC_CHECK_DATA(!is_broken, "{}", entry.fault);
    files.push_back(entry.path);
  }
  return files;
}

std::vector<std::string> list_files(const std::string& folder,
                                    const std::vector<std::string>& endings) {
  return list_files(folder, [&](const std::string& path) { return has_ending(path, endings); });
}

}  // namespace stc::data
