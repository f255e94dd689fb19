// A scratch file: appended to, read back, cut. Private to data.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/descriptor.h"

namespace stc::data {

/// Holds a lock on the file, so that two processes cannot write the same set. Failures throw
/// stc::Error (kFailed) naming the path and the cause (disk full); a taken lock is kUsage.
class Spool {
 public:
  explicit Spool(const std::string& path);

  void append(std::span<const std::uint8_t> bytes);
  void read(std::uint64_t offset, std::span<std::uint8_t> bytes) const;
  void cut(std::uint64_t size);  ///< keeps the first `size` bytes
  void remove();

 private:
  std::string path_;
  Descriptor file_;
  std::uint64_t size_ = 0;
};

}  // namespace stc::data
