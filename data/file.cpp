#include "data/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "data/crc32c.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

// Linux moves at most 2 GiB - 4 KiB per call.
constexpr std::size_t kLargestTransfer = std::size_t{1} << 30;

std::string parent_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace

std::string with_suffix(const std::string& path, const std::string& suffix) {
  constexpr std::size_t kLongestName = 255;
  constexpr std::size_t kMark = 9;                // "-" and eight digits
  const auto begin = path.find_last_of('/') + 1;  // 0 if there is none
  const auto length = path.size() - begin;
  if (length + suffix.size() <= kLongestName) return path + suffix;
  const std::string name = path.substr(begin);
  auto kept = std::min(length, kLongestName - kMark - suffix.size());
  while (kept > 0 && (static_cast<unsigned char>(name[kept]) & 0xc0) == 0x80) --kept;
  char mark[kMark + 1];
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(name.data());
  std::snprintf(mark, sizeof mark, "-%08x", crc32c({bytes, name.size()}));
  return path.substr(0, begin) + name.substr(0, kept) + mark + suffix;
}

InputFile::InputFile(const std::string& path)
    : path_(path), file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  STC_CHECK_DATA(file_.is_open(), "{}: cannot be opened: {}", path, std::strerror(errno));
  struct stat status = {};
  const bool is_file = ::fstat(file_.number(), &status) == 0 && S_ISREG(status.st_mode);
  STC_CHECK_DATA(is_file, "{}: is not a file", path);
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void InputFile::read(std::uint64_t offset, std::span<std::uint8_t> bytes) const {
  while (!bytes.empty()) {
    const auto wanted = std::min(bytes.size(), kLargestTransfer);
    const auto got = ::pread(file_.number(), bytes.data(), wanted, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    STC_CHECK_DATA(got >= 0, "{}: cannot be read: {}", path_, std::strerror(errno));
    STC_CHECK_DATA(
        got > 0,
        "{}: ends at byte {}, {} bytes too early; the file was cut short: copy or make it again",
        path_,
        offset,
        bytes.size());
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

OutputFile::OutputFile(const std::string& path)
    : path_(path),
      partial_(with_suffix(path, ".partial")),
      file_(::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)) {
  STC_CHECK(file_.is_open(), "{}: cannot be created: {}", path, std::strerror(errno));
}

OutputFile::~OutputFile() {
  if (file_.is_open()) ::unlink(partial_.c_str());
}

void OutputFile::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto put =
        ::write(file_.number(), bytes.data(), std::min(bytes.size(), kLargestTransfer));
    if (put < 0 && errno == EINTR) continue;
    STC_CHECK(put >= 0,
              "{}: cannot be written: {} ({} bytes to go); nothing is left behind",
              path_,
              std::strerror(errno),
              bytes.size());
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void OutputFile::commit() {
  STC_CHECK(::fsync(file_.number()) == 0, "{}: cannot be synced: {}", path_, std::strerror(errno));
  STC_CHECK(std::rename(partial_.c_str(), path_.c_str()) == 0,
            "{}: cannot be renamed from its temporary name: {}",
            path_,
            std::strerror(errno));
  file_.close();
  sync_path(parent_of(path_));
}

std::vector<std::uint8_t> read_file(const std::string& path) {
  const InputFile file(path);
  std::vector<std::uint8_t> bytes(file.size());
  file.read(0, bytes);
  return bytes;
}

void write_file(const std::string& path, std::span<const std::uint8_t> bytes) {
  OutputFile file(path);
  file.write(bytes);
  file.commit();
}

std::string read_text(const std::string& path) {
  const InputFile file(path);
  std::string content(file.size(), '\0');
  file.read(0, {reinterpret_cast<std::uint8_t*>(content.data()), content.size()});
  return content;
}

void write_text(const std::string& path, const std::string& content) {
  std::error_code ignored;
  const auto kind = std::filesystem::status(path, ignored).type();
  using enum std::filesystem::file_type;
  if (kind == fifo || kind == character || kind == socket) {
    std::ofstream out(path);
    STC_CHECK(out << content << std::flush, "{}: cannot be written", path);
    return;
  }
  write_file(path, {reinterpret_cast<const std::uint8_t*>(content.data()), content.size()});
}

void sync_path(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  STC_CHECK(file.is_open(), "{}: cannot be opened: {}", path, std::strerror(errno));
  // Some file systems refuse to sync a folder; there the rename is all that can be had.
  STC_CHECK(::fsync(file.number()) == 0 || errno == EINVAL,
            "{}: cannot be synced: {}",
            path,
            std::strerror(errno));
}

}  // namespace stc::data
