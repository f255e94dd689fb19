// A temporary folder of a command, removed with the object.
#pragma once

#include <string>

namespace stc::launcher {

class ScratchFolder {
 public:
  /// Throws stc::Error (kUsage) that begins with `what_for` if none can be created in `parent`.
  ScratchFolder(const std::string& parent, const std::string& what_for);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

/// TMPDIR, or /tmp.
std::string temporary_parent();

}  // namespace stc::launcher
