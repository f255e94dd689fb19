#include "data/result_folder.h"

#include "data/file.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

void check_free(const fs::path& name, bool replace, const std::set<std::string>& entries) {
  if (!fs::exists(name)) return;
  STC_CHECK_USAGE(
      fs::is_directory(name), "{}: is a file; expected a folder for the results", name.string());
  for (const auto& entry : fs::directory_iterator(name)) {
    STC_CHECK_USAGE(replace,
                    "{}: is not empty; name another folder, or replace what is there with --force",
                    name.string());
    STC_CHECK_USAGE(
        entries.count(entry.path().filename().string()) == 1,
        "{}: is not written by this command, so its folder is not replaced; name another one",
        entry.path().string());
  }
}

}  // namespace

ResultFolder::ResultFolder(const std::string& name,
                           bool replace,
                           const std::set<std::string>& entries)
    : name_(without_slash(name)), path_(with_suffix(name_.string(), ".partial")) {
  check_free(name_, replace, entries);
  std::error_code failed;
  fs::remove_all(path_, failed);
  if (!failed) fs::create_directories(path_, failed);
  STC_CHECK(!failed, "{}: cannot be created: {}", path_.string(), failed.message());
}

ResultFolder::~ResultFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

void ResultFolder::finish() {
  const fs::path old = with_suffix(name_.string(), ".replaced");
  const bool replaces = fs::exists(name_);
  if (replaces) {
    fs::remove_all(old);
    fs::rename(name_, old);
  }
  fs::rename(path_, name_);
  if (replaces) fs::remove_all(old);
}

std::string without_slash(const std::string& folder) {
  auto path = fs::path(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();
  return path.string();
}

}  // namespace stc::data
