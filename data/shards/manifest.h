// manifest.json: which shards make a set, and what they must be. Private to data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "data/shards/shard_index.h"

namespace stc::data {

struct ShardRecord {
  std::string file;         ///< name inside the folder
  std::int64_t count = 0;   ///< entries
  std::uint64_t bytes = 0;  ///< size of the file
  std::string digest;       ///< ShardIndex::digest()
};

struct Manifest {
  ShardKind kind = ShardKind::kImages;
  std::vector<ShardRecord> shards;

  std::int64_t count() const;   ///< entries of all shards
  std::uint64_t bytes() const;  ///< of all shards
  /// For each column of eight digits of the shards' digests, the crc32c of that column's text.
  std::string digest() const;
};

/// Throws stc::Error (kBadData) naming the file: missing, not JSON, of another version, without
/// shards, or at odds with itself.
Manifest read_manifest(const std::string& folder);
void write_manifest(const std::string& folder, const Manifest& manifest);

/// "shard-00012.h5"
std::string shard_file_name(std::size_t shard);

}  // namespace stc::data
