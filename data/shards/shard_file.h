// One shard of format 1 (docs/shards.md), an HDF5 file. Private to data.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "data/shards/shard_index.h"

namespace stc::data {

struct OpenedShard {
  ShardIndex index;
  std::uint64_t bytes_position = 0;  ///< of /bytes in the file
};

/// Throws stc::Error (kBadData) naming the file and what is wrong with it.
OpenedShard read_shard_index(const std::string& path);

/// `next_bytes` is called with buffers to fill until all of index.byte_count() is there. The file
/// is synced when the call returns; throws stc::Error (kFailed) naming path and cause (disk full).
void write_shard(const std::string& path,
                 const ShardIndex& index,
                 const std::function<void(std::span<std::uint8_t>)>& next_bytes);

}  // namespace stc::data
