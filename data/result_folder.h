// A folder of results that gets its name only once it is complete.
#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace stc::data {

class ResultFolder {
 public:
  /// `entries` are what such a folder holds, at its top. Throws stc::Error (kUsage) if `name` is
  /// a file, or a folder that is not empty; with `replace`, only if that holds anything else.
  ResultFolder(const std::string& name, bool replace, const std::set<std::string>& entries);
  ~ResultFolder();  ///< without finish() nothing is left, and what had the name before stays
  ResultFolder(const ResultFolder&) = delete;
  ResultFolder& operator=(const ResultFolder&) = delete;

  /// Where to write: `name` + ".partial".
  const std::filesystem::path& path() const { return path_; }
  void finish();  ///< gives it its name; what had it before is then removed

 private:
  std::filesystem::path name_, path_;
};

/// The same folder without a "/" at its end, which would put ".partial" inside it.
std::string without_slash(const std::string& folder);

}  // namespace stc::data
