// Writes a data set of format 1 (docs/shards.md). Private to data.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "data/shards/manifest.h"
#include "data/shards/shard_set.h"

namespace stc::data {

enum class Existing { kRefuse, kReplace };  ///< what to do about a complete set of that name

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
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace stc::data
