#include "data/shards/shard_writer.h"

#include <filesystem>
#include <system_error>

#include "data/crc32c.h"
#include "data/file.h"
#include "data/images/image.h"
#include "data/result_folder.h"
#include "data/shards/shard_file_writer.h"
#include "data/shards/spool.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

namespace fs = std::filesystem;

bool is_ours(const std::string& file) {
  return file == "manifest.json" || (file.starts_with("shard-") && file.ends_with(".h5"));
}

/// Whatever happens later, only files of a set are ever removed.
void check_target(const std::string& folder, Existing existing) {
  STC_CHECK_USAGE(!folder.empty() && folder != "." && folder != "..",
                  "--out is \"{}\"; expected the folder to write, which is replaced as a whole",
                  folder);
  if (!fs::exists(folder)) return;
  STC_CHECK_USAGE(
      fs::is_directory(folder), "{}: exists and is not a folder; choose another --out", folder);
  for (const auto& entry : fs::directory_iterator(folder)) {
    const auto name = entry.path().filename().string();
    STC_CHECK_USAGE(is_ours(name),
                    "{}: holds {}, which is not part of a set of shards; choose another --out",
                    folder,
                    name);
  }
  STC_CHECK_USAGE(existing == Existing::kReplace || !fs::exists(folder + "/manifest.json"),
                  "{}: is already a complete set; choose another --out, or replace it with --force",
                  folder);
}

void make_folders(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  STC_CHECK(!error, "{}: cannot be created: {}", folder, error.message());
}

void rename_folder(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  STC_CHECK(!error, "{}: cannot be renamed from its temporary name: {}", to, error.message());
}

std::string encoding_of(bool has_jpeg, bool has_png) {
  if (has_jpeg && has_png) return "mixed";
  return has_png ? "png" : "jpeg";
}

}  // namespace

struct ShardWriter::State {
  std::string folder;
  std::string partial;
  std::uint64_t shard_bytes;
  Spool spool;
  Manifest manifest;
  ShardIndex index;
  bool has_jpeg = false;
  bool has_png = false;
  bool is_in_video = false;
  bool is_finished = false;

  State(const std::string& target, ShardKind kind, std::uint64_t bytes)
      : folder(target),
        partial(target + ".partial"),
        shard_bytes(bytes),
        spool(partial + "/spool") {
    manifest.kind = kind;
    start_shard();
  }

  void start_shard() {
    index = {};
    index.kind = manifest.kind;
    if (index.kind == ShardKind::kVideos) index.video_offset = {0};
    has_jpeg = has_png = false;
  }

  void close_shard() {
    if (index.size() == 0) return;
    index.encoding = encoding_of(has_jpeg, has_png);
    const auto file = shard_file_name(manifest.shards.size());
    const auto path = partial + "/" + file;
    std::uint64_t position = 0;
    write_shard(path, index, [&](std::span<std::uint8_t> buffer) {
      spool.read(position, buffer);
      position += buffer.size();
    });
    manifest.shards.push_back(
        {file, static_cast<std::int64_t>(index.size()), InputFile(path).size(), index.digest()});
    spool.cut(0);
    start_shard();
  }

  void close_full_shard() {
    if (index.byte_count() >= shard_bytes) close_shard();
  }
};

ShardWriter::ShardWriter(const std::string& folder,
                         ShardKind kind,
                         std::uint64_t shard_bytes,
                         Existing existing) {
  const auto target = without_slash(folder);
  check_target(target, existing);
  make_folders(target + ".partial");
  state_ = std::make_unique<State>(target, kind, shard_bytes);
  // Left over from a run that was killed; the spool is ours by its lock now.
  for (const auto& entry : fs::directory_iterator(state_->partial)) {
    if (is_ours(entry.path().filename().string())) fs::remove(entry.path());
  }
}

ShardWriter::~ShardWriter() {
  if (state_->is_finished) return;
  std::error_code ignored;
  fs::remove_all(state_->partial, ignored);
}

void ShardWriter::begin_video(const std::string& name) {
  state_->index.video_name.add(name);
  state_->is_in_video = true;
}

void ShardWriter::end_video() {
  state_->index.video_offset.push_back(state_->index.size());
  state_->is_in_video = false;
  state_->close_full_shard();
}

void ShardWriter::drop_video() {
  auto& index = state_->index;
  const auto entries = index.video_offset.back();
  index.crc32c.resize(entries);
  index.offset.resize(entries + 1);
  index.name.cut(entries);
  index.video_name.cut(index.video_offset.size() - 1);
  state_->spool.cut(index.byte_count());
  state_->is_in_video = false;
}

void ShardWriter::add(const std::string& name, std::span<const std::uint8_t> bytes) {
  auto& index = state_->index;
  state_->spool.append(bytes);
  index.offset.push_back(index.byte_count() + bytes.size());
  index.crc32c.push_back(crc32c(bytes));
  index.name.add(name);
  (image_format(bytes) == ImageFormat::kPng ? state_->has_png : state_->has_jpeg) = true;
  if (!state_->is_in_video) state_->close_full_shard();
}

Manifest ShardWriter::finish() {
  state_->close_shard();
  const auto& manifest = state_->manifest;
  STC_CHECK_DATA(
      !manifest.shards.empty(), "{}: nothing to pack; an empty set is of no use", state_->folder);
  state_->spool.remove();
  write_manifest(state_->partial, manifest);
  // The old set keeps its place until the new one is completely on disk.
  const auto old = state_->folder + ".old";
  const bool has_old = fs::exists(state_->folder);
  if (has_old) rename_folder(state_->folder, old);
  rename_folder(state_->partial, state_->folder);
  state_->is_finished = true;
  const auto parent = fs::path(state_->folder).parent_path().string();
  sync_path(parent.empty() ? "." : parent);
  if (has_old) fs::remove_all(old);
  return manifest;
}

}  // namespace stc::data
