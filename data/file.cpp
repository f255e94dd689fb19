#include "data/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "monitoring/check.h"

namespace stc::data {
namespace {

// Linux moves at most 2 GiB - 4 KiB a call.
constexpr std::size_t kLargestTransfer = std::size_t{1} << 30;

std::string parent_of(const std::string& path) {
  const auto parent = std::filesystem::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

}  // namespace

InputFile::InputFile(const std::string& path) : path_(path) {
  descriptor_ = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  STC_CHECK_DATA(descriptor_ >= 0, "{}: cannot be opened: {}", path, std::strerror(errno));
  struct stat status = {};
  const bool is_file = ::fstat(descriptor_, &status) == 0 && S_ISREG(status.st_mode);
  if (!is_file) ::close(std::exchange(descriptor_, -1));
  STC_CHECK_DATA(is_file, "{}: is not a file", path);
  size_ = static_cast<std::uint64_t>(status.st_size);
}

InputFile::InputFile(InputFile&& other) noexcept
    : path_(std::move(other.path_)),
      descriptor_(std::exchange(other.descriptor_, -1)),
      size_(other.size_) {}

InputFile::~InputFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void InputFile::read(std::uint64_t offset, std::span<std::uint8_t> bytes) const {
  while (!bytes.empty()) {
    const auto wanted = std::min(bytes.size(), kLargestTransfer);
    const auto got = ::pread(descriptor_, bytes.data(), wanted, static_cast<off_t>(offset));
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

OutputFile::OutputFile(const std::string& path) : path_(path), partial_(path + ".partial") {
  descriptor_ = ::open(partial_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  STC_CHECK(descriptor_ >= 0, "{}: cannot be created: {}", path, std::strerror(errno));
}

OutputFile::~OutputFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(partial_.c_str());
}

void OutputFile::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto put = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kLargestTransfer));
    if (put < 0 && errno == EINTR) continue;
    STC_CHECK(put >= 0,
              "{}: cannot be written: {} ({} bytes to go); nothing was left behind",
              path_,
              std::strerror(errno),
              bytes.size());
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void OutputFile::commit() {
  STC_CHECK(::fsync(descriptor_) == 0, "{}: cannot be synced: {}", path_, std::strerror(errno));
  STC_CHECK(std::rename(partial_.c_str(), path_.c_str()) == 0,
            "{}: cannot be given its name: {}",
            path_,
            std::strerror(errno));
  ::close(std::exchange(descriptor_, -1));
  sync_path(parent_of(path_));
}

bool has_ending(const std::string& path, const std::vector<std::string>& endings) {
  auto ending = std::filesystem::path(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(), [](unsigned char c) {
    return static_cast<char>(std::tolower(c));
  });
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
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

void sync_path(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  STC_CHECK(descriptor >= 0, "{}: cannot be opened: {}", path, std::strerror(errno));
  const int result = ::fsync(descriptor);
  const int cause = errno;
  ::close(descriptor);
  // Some file systems refuse to sync a folder; there the rename is all that can be had.
  STC_CHECK(result == 0 || cause == EINVAL, "{}: cannot be synced: {}", path, std::strerror(cause));
}

}  // namespace stc::data
