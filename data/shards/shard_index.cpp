#include "data/shards/shard_index.h"

#include "data/crc32c.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

template <typename T>
std::string crc_of(const std::vector<T>& values) {
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(values.data());
  return hexadecimal(crc32c({bytes, values.size() * sizeof(T)}));
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
  const auto entries = crc_of(offset) + crc_of(crc32c) + crc_of(name.bytes) + crc_of(name.offset);
  if (kind == ShardKind::kImages) return entries;
  return entries + crc_of(video_offset) + crc_of(video_name.bytes) + crc_of(video_name.offset);
}

}  // namespace stc::data
