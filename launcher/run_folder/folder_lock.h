// One job at a time in a folder of results.
#pragma once

#include <string>

#include "data/file.h"

namespace stc::launcher {

/// Holds FOLDER/lock until it is destroyed, or the process ends, however it ends.
class FolderLock {
 public:
  static constexpr char kFile[] = "lock";

  enum class Kind { kExclusive, kShared };  ///< shared: among others that share it

  FolderLock() = default;  ///< holds nothing
  /// Throws stc::Error (kUsage) naming host and process of a live job that holds `folder`;
  /// `remedy` says what else to do: "choose another run.dir". Warns about a file system without
  /// locks.
  FolderLock(const std::string& folder, const std::string& remedy, Kind kind = Kind::kExclusive);
  /// Among jobs that share a folder: one of them at a time, the others wait.
  static FolderLock wait_for(const std::string& folder);

 private:
  data::Descriptor file_;
};

}  // namespace stc::launcher
