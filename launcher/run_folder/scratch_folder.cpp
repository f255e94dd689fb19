#include "launcher/run_folder/scratch_folder.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "monitoring/check.h"

namespace stc::launcher {

namespace fs = std::filesystem;

ScratchFolder::ScratchFolder(const std::string& parent, const std::string& what_for)
    : path_(parent + "/stc-XXXXXX") {
  STC_CHECK_USAGE(::mkdtemp(path_.data()) != nullptr,
                  "{}: a folder cannot be created in {}: {}",
                  what_for,
                  parent,
                  std::strerror(errno));
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

std::string temporary_parent() {
  std::error_code unusable;
  const auto folder = fs::temp_directory_path(unusable);
  return unusable ? "/tmp" : folder.string();
}

}  // namespace stc::launcher
