// A data set in memory, for tests of what stands on top of shards.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "data/shards/shard_set.h"
#include "monitoring/check.h"

namespace stc::data {

/// Entries are encoded images; an empty one stands for a checksum that does not fit.
class FakeShards : public ShardSet {
 public:
  FakeShards(ShardKind kind, std::vector<std::vector<std::uint8_t>> entries)
      : kind_(kind), entries_(std::move(entries)) {}

  void add_video(std::int64_t first, std::int64_t frames) {
    videos_.push_back({"video-" + std::to_string(videos_.size()), first, frames});
  }

  ShardKind kind() const override { return kind_; }
  std::int64_t size() const override { return static_cast<std::int64_t>(entries_.size()); }
  const std::vector<VideoRange>& videos() const override { return videos_; }
  std::string name(std::int64_t entry) const override { return std::to_string(entry) + ".jpg"; }
  std::string place(std::int64_t entry) const override {
    return "fake.h5: entry " + std::to_string(entry) + " (" + name(entry) + ")";
  }
  std::string digest() const override { return "fake"; }
  std::vector<std::uint8_t> read(std::int64_t entry) const override {
    STC_CHECK_DATA(!entries_[entry].empty(), "{}: the checksum does not fit", place(entry));
    return entries_[entry];
  }

 private:
  ShardKind kind_;
  std::vector<std::vector<std::uint8_t>> entries_;
  std::vector<VideoRange> videos_;
};

}  // namespace stc::data
