#include "data/shards/shard_index.h"

#include <array>
#include <cstdio>

#include "data/crc32c.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

template <typename T>
void append_crc(std::string& digest, const std::vector<T>& values) {
  std::array<char, 9> hex = {};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.data());
  std::snprintf(hex.data(), hex.size(), "%08x", crc32c({bytes, values.size() * sizeof(T)}));
  digest += hex.data();
}

}  // namespace

std::string name_of(ShardKind kind) { return kind == ShardKind::kImages ? "images" : "videos"; }

ShardKind kind_of(const std::string& name, const std::string& file) {
  if (name == "images") return ShardKind::kImages;
  STC_CHECK_DATA(name == "videos", "{}: its kind is \"{}\"; expected images or videos", file, name);
  return ShardKind::kVideos;
}

std::string StringTable::at(std::size_t i) const {
  return {bytes.begin() + static_cast<std::ptrdiff_t>(offset[i]),
          bytes.begin() + static_cast<std::ptrdiff_t>(offset[i + 1])};
}

void StringTable::add(const std::string& text) {
  bytes.insert(bytes.end(), text.begin(), text.end());
  offset.push_back(bytes.size());
}

void StringTable::cut(std::size_t count) {
  offset.resize(count + 1);
  bytes.resize(offset.back());
}

std::string ShardIndex::digest() const {
  std::string digest;
  append_crc(digest, offset);
  append_crc(digest, crc32c);
  append_crc(digest, name.bytes);
  append_crc(digest, name.offset);
  if (kind == ShardKind::kImages) return digest;
  append_crc(digest, video_offset);
  append_crc(digest, video_name.bytes);
  append_crc(digest, video_name.offset);
  return digest;
}

}  // namespace stc::data
