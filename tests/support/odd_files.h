// Files and folders as people have them: of many formats, by their first bytes, and of odd names.
#pragma once

#include <unistd.h>

#include <cstdlib>

#include <filesystem>
#include <fstream>
#include <string>

namespace stc::test {

/// Creates its folder, too.
inline void write_bytes(const std::string& path, const std::string& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

/// `at` zeros, then the bytes, then zeros: enough for what looks at the beginning of a file.
inline std::string beginning(const std::string& bytes, std::size_t at = 0) {
  std::string file(at, '\0');
  file += bytes;
  file.resize(2048);
  return file;
}

/// Packets of a transport stream; 192 bytes with a time code in front, as cameras write.
inline std::string transport_stream(std::size_t packet) {
  std::string file(packet * 8, '\0');
  for (std::size_t at = packet - 188; at < file.size(); at += packet) file[at] = '\x47';
  return file;
}

/// A GIF of 1 x 1 pixels and so many frames.
inline std::string gif(int frames) {
  using namespace std::string_literals;
  std::string file = "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff"s;
  for (int i = 0; i < frames; ++i)
    file +=
        "\x21\xf9\x04\x00\x05\x00\x00\x00"s
        "\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02\x44\x01\x00"s;
  return file + ";";
}

/// Not root while it lives, so that permissions count; active() is false if that cannot be had.
class WithoutPrivileges {
 public:
  WithoutPrivileges() : was_(::geteuid()) {
    if (was_ == 0 && ::seteuid(kNobody) != 0) return;
    active_ = ::geteuid() != 0;
  }
  ~WithoutPrivileges() {
    if (was_ == 0 && ::seteuid(0) != 0) std::abort();
  }
  WithoutPrivileges(const WithoutPrivileges&) = delete;
  WithoutPrivileges& operator=(const WithoutPrivileges&) = delete;
  bool active() const { return active_; }

 private:
  static constexpr uid_t kNobody = 65534;
  uid_t was_;
  bool active_ = false;
};

}  // namespace stc::test
