#include "data/shards/shard_set.h"

#include <sys/resource.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "data/crc32c.h"
#include "data/file.h"
#include "data/shards/manifest.h"
#include "data/shards/shard_file.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

struct Shard {
  InputFile file;
  OpenedShard opened;
  std::int64_t first = 0;  // entry of the set that is this shard's entry 0
};

// Every shard stays open; terabytes in 1 GiB shards are more than the usual soft limit of 1024
// files.
void allow_open_files(std::size_t files) {
  rlimit limit = {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const rlim_t wanted = limit.rlim_cur + files;
  if (files < 256 || limit.rlim_cur == RLIM_INFINITY) return;
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Shard open_shard(const std::string& folder,
                 const ShardRecord& record,
                 ShardKind kind,
                 std::int64_t first) {
  const auto path = (std::filesystem::path(folder) / record.file).string();
  InputFile file(path);
  STC_CHECK_DATA(file.size() == record.bytes,
                 "{}: holds {} bytes, the manifest lists {}; it was cut short or replaced: copy or "
                 "pack it again",
                 path,
                 file.size(),
                 record.bytes);
  auto opened = read_shard_index(path);
  STC_CHECK_DATA(opened.index.kind == kind,
                 "{}: holds {}, the manifest lists {}",
                 path,
                 name_of(opened.index.kind),
                 name_of(kind));
  STC_CHECK_DATA(opened.index.digest() == record.digest &&
                     static_cast<std::int64_t>(opened.index.size()) == record.count,
                 "{}: is not the shard that the manifest lists (digest {}, expected {}); copy or "
                 "pack the set again",
                 path,
                 opened.index.digest(),
                 record.digest);
  return {std::move(file), std::move(opened), first};
}

class OpenSet : public ShardSet {
 public:
  explicit OpenSet(const std::string& folder) {
    const auto manifest = read_manifest(folder);
    kind_ = manifest.kind;
    digest_ = manifest.digest();
    allow_open_files(manifest.shards.size());
    for (const auto& record : manifest.shards) {
      shards_.push_back(open_shard(folder, record, kind_, size_));
      add_videos(shards_.back());
      size_ += record.count;
    }
  }

  ShardKind kind() const override { return kind_; }
  std::int64_t size() const override { return size_; }
  const std::vector<VideoRange>& videos() const override { return videos_; }
  std::string digest() const override { return digest_; }

  std::string name(std::int64_t entry) const override {
    const auto& shard = shard_of(entry);
    return shard.opened.index.name.at(entry - shard.first);
  }

  std::string place(std::int64_t entry) const override {
    const auto& shard = shard_of(entry);
    return text("{}: entry {} ({})", shard.file.path(), entry - shard.first, name(entry));
  }

  std::vector<std::uint8_t> read(std::int64_t entry) const override {
    const auto& shard = shard_of(entry);
    const auto& index = shard.opened.index;
    const auto i = static_cast<std::size_t>(entry - shard.first);
    std::vector<std::uint8_t> bytes(index.offset[i + 1] - index.offset[i]);
    try {
      shard.file.read(shard.opened.bytes_position + index.offset[i], bytes);
    } catch (const Error& cause) {
      throw Error(Exit::kBadData, text("{}: {}", place(entry), cause.what()));
    }
    STC_CHECK_DATA(
        crc32c(bytes) == index.crc32c[i],
        "{}: its {} bytes do not match their checksum; the file is damaged: copy or pack it again",
        place(entry),
        bytes.size());
    return bytes;
  }

 private:
  void add_videos(const Shard& shard) {
    const auto& index = shard.opened.index;
    for (std::size_t i = 0; i < index.video_name.size(); ++i) {
      const auto begin = static_cast<std::int64_t>(index.video_offset[i]);
      const auto end = static_cast<std::int64_t>(index.video_offset[i + 1]);
      videos_.push_back({index.video_name.at(i), shard.first + begin, end - begin});
    }
  }

  const Shard& shard_of(std::int64_t entry) const {
    STC_CHECK(entry >= 0 && entry < size_, "entry {} of a set of {}", entry, size_);
    const auto after = std::upper_bound(
        shards_.begin(), shards_.end(), entry, [](std::int64_t value, const Shard& shard) {
          return value < shard.first;
        });
    return *(after - 1);
  }

  ShardKind kind_ = ShardKind::kImages;
  std::int64_t size_ = 0;
  std::string digest_;
  std::vector<Shard> shards_;
  std::vector<VideoRange> videos_;
};

}  // namespace

std::shared_ptr<const ShardSet> ShardSet::open(const std::string& folder) {
  return std::make_shared<OpenSet>(folder);
}

}  // namespace stc::data
