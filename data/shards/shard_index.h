// What a shard of format 1 (docs/shards.md) holds beside the encoded bytes. Private to data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/shards/shard_set.h"

namespace stc::data {

inline constexpr const char* kShardFormat = "stc-shard";
inline constexpr std::int64_t kShardVersion = 1;

std::string name_of(ShardKind kind);
/// Throws stc::Error (kBadData), naming `file`, if it is neither "images" nor "videos".
ShardKind kind_of(const std::string& name, const std::string& file);

/// Strings, one after the other.
struct StringTable {
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint64_t> offset = {0};  ///< one more than there are strings

  std::size_t size() const { return offset.size() - 1; }
  std::string at(std::size_t i) const;
  void add(const std::string& text);
  void cut(std::size_t count);  ///< keeps the first `count`
};

/// All of a shard but the encoded bytes.
struct ShardIndex {
  ShardKind kind = ShardKind::kImages;
  std::string encoding;                     ///< "jpeg", "png" or "mixed"
  std::vector<std::uint64_t> offset = {0};  ///< entry i is bytes[offset[i], offset[i + 1])
  std::vector<std::uint32_t> crc32c;
  StringTable name;
  std::vector<std::uint64_t> video_offset;  ///< videos only: video v is entries [.[v], .[v + 1])
  StringTable video_name;                   ///< videos only

  std::size_t size() const { return crc32c.size(); }
  std::uint64_t byte_count() const { return offset.back(); }
  /// Eight hex digits for each dataset but /bytes: the crc32c of its values, in the order above.
  std::string digest() const;
};

}  // namespace stc::data
