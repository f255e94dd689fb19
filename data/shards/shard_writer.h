// Writes a data set of format 1 (docs/shards.md). Private to data.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "data/file.h"
#include "data/shards/manifest.h"

namespace stc::data {

enum class Existing { kRefuse, kReplace };  ///< what to do about a complete set of that name

/// A scratch file: appended to, read back, cut. Holds a lock on the file, so that two processes
/// cannot write the same set. Failures throw stc::Error (kFailed) naming the path and the cause
/// (disk full); a taken lock is kUsage.
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

/// Entries come one after the other; a shard is closed once it holds `shard_bytes`, between two
/// images or two videos. All is written into `folder` + ".partial", which becomes `folder` in
/// finish() and otherwise is removed with this object.
class ShardWriter {
 public:
  /// Throws stc::Error (kUsage) if `folder` is a complete set that may not be replaced, holds
  /// other files, or is being written by another process.
  ShardWriter(const std::string& folder,
              ShardKind kind,
              std::uint64_t shard_bytes,
              Existing existing);
  ~ShardWriter();

  /// Videos only: the entries between the two are its frames, in time order; drop_video() forgets
  /// them.
  void begin_video(const std::string& name);
  void end_video();
  void drop_video();

  void add(const std::string& name, std::span<const std::uint8_t> bytes);

  /// Returns what was written. At least one entry is needed.
  Manifest finish();

 private:
  void start_shard();
  void close_shard();
  void close_full_shard();

  std::string folder_, partial_;
  std::uint64_t shard_bytes_;
  Spool spool_;
  Manifest manifest_;
  ShardIndex index_;  ///< of the shard that is being filled
  bool has_jpeg_ = false;
  bool has_png_ = false;
  bool is_in_video_ = false;
  bool is_finished_ = false;
};

}  // namespace stc::data
