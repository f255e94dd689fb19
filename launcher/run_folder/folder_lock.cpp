#include "launcher/run_folder/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <sstream>

#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

std::string owner_of(int lock) {
  char owner[512] = {};
  const auto length = ::pread(lock, owner, sizeof owner - 1, 0);
  std::istringstream words(length > 0 ? owner : "");
  std::string host, pid;
  if (!(words >> host >> pid)) return "another process";
  return "process " + pid + " on " + host;
}

data::Descriptor open_file(const std::string& path) {
  data::Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  STC_CHECK(file.is_open(), "{} cannot be created: {}", path, std::strerror(errno));
  return file;
}

void write_owner(int lock, const std::string& path) {
  char host[256] = {};
  ::gethostname(host, sizeof host - 1);
  const std::string owner = text("{} {}\n", host, ::getpid());
  const bool written = ::ftruncate(lock, 0) == 0 &&
                       ::pwrite(lock, owner.data(), owner.size(), 0) == std::ssize(owner);
  if (!written) log::warning("the owner cannot be written into {}: {}", path, std::strerror(errno));
}

}  // namespace

// flock ends with the process, however it ends; a pid file would not.
FolderLock::FolderLock(const std::string& folder, const std::string& remedy, Kind kind) {
  const std::string path = folder + "/" + kFile;
  file_ = open_file(path);
  if (::flock(file_.number(), (kind == Kind::kShared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
    STC_CHECK_USAGE(errno != EWOULDBLOCK,
                    "{} is in use by {}; stop that job, or {}",
                    folder,
                    owner_of(file_.number()),
                    remedy);
    log::warning("{} cannot be locked ({}): a second job in this folder would not be noticed",
                 path,
                 std::strerror(errno));
  }
  write_owner(file_.number(), path);
}

FolderLock FolderLock::wait_for(const std::string& folder) {
  const std::string path = folder + "/" + kFile;
  FolderLock lock;
  lock.file_ = open_file(path);
  if (::flock(lock.file_.number(), LOCK_EX) != 0)
    log::warning("{} cannot be locked: {}", path, std::strerror(errno));
  return lock;
}

}  // namespace stc::launcher
