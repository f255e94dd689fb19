// A data set of format 1: manifest.json and shard-?????.h5 (docs/shards.md).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace stc::data {

enum class ShardKind { kImages, kVideos };

struct VideoRange {
  std::string name;
  std::int64_t first = 0;   ///< entry of its first frame, counted over the whole set
  std::int64_t frames = 0;  ///< >= 1
};

/// Read-only and thread-safe: the index is held in memory, bytes are read by pread outside HDF5's
/// lock.
class ShardSet {
 public:
  /// Throws stc::Error (kBadData) naming the file for a missing, empty, foreign, truncated or
  /// inconsistent set.
  static std::shared_ptr<const ShardSet> open(const std::string& folder);
  virtual ~ShardSet() = default;

  virtual ShardKind kind() const = 0;
  virtual std::int64_t size() const = 0;  ///< entries (images, or frames of all videos)
  virtual const std::vector<VideoRange>& videos() const = 0;  ///< empty for images
  virtual std::string name(std::int64_t entry) const = 0;     ///< source path, relative
  virtual std::string place(
      std::int64_t entry) const = 0;       ///< "FILE: entry I (NAME)", I within the shard
  virtual std::string digest() const = 0;  ///< of the content; equal sets have equal digests
  /// The encoded bytes, checked against their crc32c. Throws stc::Error (kBadData) with place() in
  /// front.
  virtual std::vector<std::uint8_t> read(std::int64_t entry) const = 0;
};

}  // namespace stc::data
