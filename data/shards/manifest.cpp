#include "data/shards/manifest.h"

#include <array>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "data/crc32c.h"
#include "data/file.h"
#include "monitoring/check.h"
#include "monitoring/json_text.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* kManifest = "manifest.json";
constexpr const char* kManifestFormat = "stc-shards";

void check_folder(const std::string& folder) {
  const bool is_unfinished = fs::exists(with_suffix(folder, ".partial"));
  STC_CHECK_DATA(fs::is_directory(folder),
                 "{}: no such folder{}",
                 folder,
                 is_unfinished ? "; its packing was not finished: run `stc pack` again" : "");
  STC_CHECK_DATA(fs::exists(fs::path(folder) / kManifest),
                 "{}: holds no {}; expected a folder that `stc pack` wrote",
                 folder,
                 kManifest);
}

Manifest parse(const json& root, const std::string& path) {
  STC_CHECK_DATA(root.at("format").get<std::string>() == kManifestFormat,
                 "{}: format is {}; expected \"{}\"",
                 path,
                 root.at("format").dump(),
                 kManifestFormat);
  STC_CHECK_DATA(root.at("version").get<std::int64_t>() == kShardVersion,
                 "{}: is of version {}, this program reads version {}; pack the set again",
                 path,
                 root.at("version").dump(),
                 kShardVersion);
  Manifest manifest;
  manifest.kind = kind_of(root.at("kind").get<std::string>(), path);
  for (const auto& each : root.at("shards")) {
    manifest.shards.push_back({each.at("file").get<std::string>(),
                               each.at("count").get<std::int64_t>(),
                               each.at("bytes").get<std::uint64_t>(),
                               each.at("digest").get<std::string>()});
    const auto& file = manifest.shards.back().file;
    STC_CHECK_DATA(!file.empty() && fs::path(file).filename() == file,
                   "{}: lists the shard {}; expected the name of a file in the same folder",
                   path,
                   file);
  }
  STC_CHECK_DATA(!manifest.shards.empty(), "{}: lists no shard; an empty set is of no use", path);
  STC_CHECK_DATA(
      root.at("count").get<std::int64_t>() == manifest.count() &&
          root.at("digest").get<std::string>() == manifest.digest(),
      "{}: its count or digest does not match the shards it lists; it was changed or damaged",
      path);
  return manifest;
}

}  // namespace

std::int64_t Manifest::count() const {
  std::int64_t count = 0;
  for (const auto& shard : shards) count += shard.count;
  return count;
}

std::uint64_t Manifest::bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& shard : shards) bytes += shard.bytes;
  return bytes;
}

std::string Manifest::digest() const {
  constexpr std::size_t kDigits = 8;
  std::string digest;
  for (std::size_t begin = 0; begin + kDigits <= shards.at(0).digest.size(); begin += kDigits) {
    std::string column;
    for (const auto& shard : shards)
      column += shard.digest.substr(std::min(begin, shard.digest.size()), kDigits);
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(column.data());
    digest += hexadecimal(crc32c({bytes, column.size()}));
  }
  return digest;
}

Manifest read_manifest(const std::string& folder) {
  check_folder(folder);
  const auto path = (fs::path(folder) / kManifest).string();
  const auto root = json::parse(read_text(path), nullptr, /*allow_exceptions=*/false);
  STC_CHECK_DATA(
      root.is_object(), "{}: is not JSON; it was cut short or damaged: pack the set again", path);
  try {
    return parse(root, path);
  } catch (const json::exception& cause) {
    throw Error(Exit::kBadData,
                text("{}: is not a manifest of a set of shards: {}", path, cause.what()));
  }
}

void write_manifest(const std::string& folder, const Manifest& manifest) {
  auto shards = json::array();
  for (const auto& shard : manifest.shards) {
    shards.push_back({{"file", shard.file},
                      {"count", shard.count},
                      {"bytes", shard.bytes},
                      {"digest", shard.digest}});
  }
  const json root = {{"format", kManifestFormat},
                     {"version", kShardVersion},
                     {"kind", name_of(manifest.kind)},
                     {"count", manifest.count()},
                     {"digest", manifest.digest()},
                     {"shards", shards}};
  write_text((fs::path(folder) / kManifest).string(), json_text(root, 2) + "\n");
}

std::string shard_file_name(std::size_t shard) {
  std::array<char, 32> name = {};
  std::snprintf(name.data(), name.size(), "shard-%05zu.h5", shard);
  return name.data();
}

}  // namespace stc::data
