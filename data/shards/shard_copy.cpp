#include "data/shards/shard_copy.h"

#include <cstdlib>
#include <filesystem>

#include "data/shards/manifest.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

constexpr char kRemedy[] = "; name another disk, or leave data.local out";

void check_room(const std::string& shards, const std::string& disk, std::uint64_t needed) {
  std::error_code failed;
  fs::create_directories(disk, failed);
  STC_CHECK(!failed, "data.local {}: cannot be created: {}{}", disk, failed.message(), kRemedy);
  const auto room = fs::space(disk, failed);
  STC_CHECK(!failed && room.available >= needed,
            "data.local {}: has {} MiB free, {} needs {}{}",
            disk,
            room.available >> 20,
            shards,
            needed >> 20,
            kRemedy);
}

fs::path make_temporary_folder(const fs::path& beside) {
  std::string pattern = beside.string() + ".XXXXXX";
  STC_CHECK(::mkdtemp(pattern.data()) != nullptr, "{}: cannot be made{}", pattern, kRemedy);
  return pattern;
}

void copy_shard(const fs::path& from, const fs::path& to) {
  STC_CHECK_DATA(fs::exists(from), "{}: is missing; the manifest lists it", from.string());
  std::error_code failed;
  fs::copy_file(from, to, failed);
  STC_CHECK(!failed, "{}: cannot be written: {}{}", to.string(), failed.message(), kRemedy);
}

}  // namespace

std::string path_of_copy(const std::string& shards, const std::string& disk) {
  const auto name = (fs::path(shards) / "").parent_path().filename().string();
  return (fs::path(disk) / text("{}-{}", name, read_manifest(shards).digest())).string();
}

std::uint64_t copy_shards(const std::string& shards, const std::string& disk) {
  const fs::path copy = path_of_copy(shards, disk);
  if (fs::exists(copy)) return 0;
  const auto manifest = read_manifest(shards);
  const auto bytes = manifest.bytes();
  check_room(shards, disk, bytes);
  const auto partial = make_temporary_folder(copy);
  std::error_code failed;
  try {
    for (const auto& shard : manifest.shards)
      copy_shard(fs::path(shards) / shard.file, partial / shard.file);
    write_manifest(partial.string(), manifest);
  } catch (...) {
    fs::remove_all(partial, failed);
    throw;
  }
  fs::rename(partial, copy, failed);
  // Otherwise another job on this node was faster.
  if (failed) fs::remove_all(partial, failed);
  STC_CHECK(fs::exists(copy), "{}: cannot be made{}", copy.string(), kRemedy);
  return bytes;
}

}  // namespace stc::data
