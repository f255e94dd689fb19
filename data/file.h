// Files by plain POSIX calls: reads at a position, and files that appear under their name only once
// they are complete.
#pragma once

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace stc::data {

/// An open file, closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int number = -1) : number_(number) {}
  ~Descriptor() { close(); }
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  void close() {
    if (number_ >= 0) ::close(std::exchange(number_, -1));
  }
  bool is_open() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int number_;
};

/// Read-only. Reads are positional, so threads may share one.
class InputFile {
 public:
  /// Throws stc::Error (kBadData) naming the path and the cause.
  explicit InputFile(const std::string& path);

  const std::string& path() const { return path_; }
  std::uint64_t size() const { return size_; }  ///< at the time of opening

  /// Fills `bytes` from `offset`. Throws stc::Error (kBadData) if the file ends too early.
  void read(std::uint64_t offset, std::span<std::uint8_t> bytes) const;

 private:
  std::string path_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

/// `path` + `suffix`; if that name would be longer than file systems allow (255 bytes), the path's
/// last part is cut and marked with a checksum of the whole.
std::string with_suffix(const std::string& path, const std::string& suffix);

/// Written under with_suffix(`path`, ".partial"); commit() syncs it and gives it its name. Without
/// commit() nothing stays behind, and a file that had the name before is untouched. Failures throw
/// stc::Error (kFailed) naming path and cause.
class OutputFile {
 public:
  explicit OutputFile(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  void write(std::span<const std::uint8_t> bytes);
  void commit();

 private:
  std::string path_;
  std::string partial_;
  Descriptor file_;
};

std::vector<std::uint8_t> read_file(const std::string& path);
void write_file(const std::string& path, std::span<const std::uint8_t> bytes);

/// The same for whole text files; text for a pipe or a device ("/dev/stdout") is written into it.
std::string read_text(const std::string& path);
void write_text(const std::string& path, const std::string& content);

/// Makes a rename or a new name inside `folder` (or a file's content) survive a loss of power.
void sync_path(const std::string& path);

}  // namespace stc::data
