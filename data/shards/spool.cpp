#include "data/shards/spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "monitoring/check.h"

namespace stc::data {

Spool::Spool(const std::string& path)
    : path_(path), file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  STC_CHECK(file_.is_open(), "{}: cannot be created: {}", path, std::strerror(errno));
  const bool is_taken = ::flock(file_.number(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  STC_CHECK_USAGE(
      !is_taken,
      "{}: another process is packing into this folder; wait for it, or choose another --out",
      path);
  cut(0);
}

void Spool::append(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto put =
        ::pwrite(file_.number(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (put < 0 && errno == EINTR) continue;
    STC_CHECK(put > 0, "{}: cannot be written: {}", path_, std::strerror(errno));
    size_ += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void Spool::read(std::uint64_t offset, std::span<std::uint8_t> bytes) const {
  while (!bytes.empty()) {
    const auto got =
        ::pread(file_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    STC_CHECK(got > 0,
              "{}: cannot be read back: {}",
              path_,
              got < 0 ? std::strerror(errno) : "it was changed");
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

void Spool::cut(std::uint64_t size) {
  STC_CHECK(::ftruncate(file_.number(), static_cast<off_t>(size)) == 0,
            "{}: cannot be truncated: {}",
            path_,
            std::strerror(errno));
  size_ = size;
}

void Spool::remove() {
  STC_CHECK(::unlink(path_.c_str()) == 0, "{}: cannot be removed: {}", path_, std::strerror(errno));
}

}  // namespace stc::data
