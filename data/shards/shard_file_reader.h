// Reads one shard of format 1 (docs/shards.md), an HDF5 file. Private to data.
#pragma once

#include <cstdint>
#include <string>

#include "data/shards/shard_index.h"

namespace stc::data {

struct OpenedShard {
  ShardIndex index;
  std::uint64_t bytes_position = 0;  ///< of /bytes in the file
};

/// Throws stc::Error (kBadData) naming the file and what is wrong with it.
OpenedShard read_shard_index(const std::string& path);

}  // namespace stc::data
