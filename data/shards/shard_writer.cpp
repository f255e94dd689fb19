#include "data/shards/shard_writer.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "data/crc32c.h"
#include "data/images/image.h"
#include "data/result_folder.h"
#include "data/shards/shard_file.h"
#include "monitoring/check.h"
#include "monitoring/printable.h"

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

/// The folder to write into.
std::string make_partial(const std::string& folder, Existing existing) {
  check_target(folder, existing);
  auto partial = with_suffix(folder, ".partial");
  std::error_code error;
  fs::create_directories(partial, error);
  STC_CHECK(!error, "{}: cannot be created: {}", partial, error.message());
  return partial;
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

Spool::Spool(const std::string& path)
    : path_(path), file_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
  STC_CHECK(file_.is_open(), "{}: cannot be created: {}", path, std::strerror(errno));
  const bool is_taken = ::flock(file_.number(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
  STC_CHECK_USAGE(
      !is_taken,
      "{}: another process is packing into this folder; wait for it, or choose another --out",
      path);
  cut(0);
}

void Spool::append(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const auto put =
        ::pwrite(file_.number(), bytes.data(), bytes.size(), static_cast<off_t>(size_));
    if (put < 0 && errno == EINTR) continue;
    STC_CHECK(put > 0, "{}: cannot be written: {}", path_, std::strerror(errno));
    size_ += static_cast<std::uint64_t>(put);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void Spool::read(std::uint64_t offset, std::span<std::uint8_t> bytes) const {
  while (!bytes.empty()) {
    const auto got =
        ::pread(file_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    STC_CHECK(got > 0,
              "{}: cannot be read back: {}",
              path_,
              got < 0 ? std::strerror(errno) : "it was changed");
    offset += static_cast<std::uint64_t>(got);
    bytes = bytes.subspan(static_cast<std::size_t>(got));
  }
}

void Spool::cut(std::uint64_t size) {
  STC_CHECK(::ftruncate(file_.number(), static_cast<off_t>(size)) == 0,
            "{}: cannot be truncated: {}",
            path_,
            std::strerror(errno));
  size_ = size;
}

void Spool::remove() {
  STC_CHECK(::unlink(path_.c_str()) == 0, "{}: cannot be removed: {}", path_, std::strerror(errno));
}

ShardWriter::ShardWriter(const std::string& folder,
                         ShardKind kind,
                         std::uint64_t shard_bytes,
                         Existing existing)
    : folder_(without_slash(folder)),
      partial_(make_partial(folder_, existing)),
      shard_bytes_(shard_bytes),
      spool_(partial_ + "/spool") {
  manifest_.kind = kind;
  start_shard();
  // Left over from a run that was killed; the spool is ours by its lock now.
  for (const auto& entry : fs::directory_iterator(partial_)) {
    if (is_ours(entry.path().filename().string())) fs::remove(entry.path());
  }
}

ShardWriter::~ShardWriter() {
  if (is_finished_) return;
  std::error_code ignored;
  fs::remove_all(partial_, ignored);
}

void ShardWriter::start_shard() {
  index_ = {};
  index_.kind = manifest_.kind;
  if (index_.kind == ShardKind::kVideos) index_.video_offset = {0};
  has_jpeg_ = has_png_ = false;
}

void ShardWriter::close_shard() {
  if (index_.size() == 0) return;
  index_.encoding = encoding_of(has_jpeg_, has_png_);
  const auto file = shard_file_name(manifest_.shards.size());
  const auto path = partial_ + "/" + file;
  std::uint64_t position = 0;
  write_shard(path, index_, [&](std::span<std::uint8_t> buffer) {
    spool_.read(position, buffer);
    position += buffer.size();
  });
  manifest_.shards.push_back(
      {file, static_cast<std::int64_t>(index_.size()), InputFile(path).size(), index_.digest()});
  spool_.cut(0);
  start_shard();
}

void ShardWriter::close_full_shard() {
  if (index_.byte_count() >= shard_bytes_) close_shard();
}

void ShardWriter::begin_video(const std::string& name) {
  index_.video_name.add(escaped(name));
  is_in_video_ = true;
}

void ShardWriter::end_video() {
  index_.video_offset.push_back(index_.size());
  is_in_video_ = false;
  close_full_shard();
}

void ShardWriter::drop_video() {
  const auto entries = index_.video_offset.back();
  index_.crc32c.resize(entries);
  index_.offset.resize(entries + 1);
  index_.name.cut(entries);
  index_.video_name.cut(index_.video_offset.size() - 1);
  spool_.cut(index_.byte_count());
  is_in_video_ = false;
}

void ShardWriter::add(const std::string& name, std::span<const std::uint8_t> bytes) {
  spool_.append(bytes);
  index_.offset.push_back(index_.byte_count() + bytes.size());
  index_.crc32c.push_back(crc32c(bytes));
  index_.name.add(escaped(name));
  (image_format(bytes) == ImageFormat::kPng ? has_png_ : has_jpeg_) = true;
  if (!is_in_video_) close_full_shard();
}

Manifest ShardWriter::finish() {
  close_shard();
  STC_CHECK_DATA(
      !manifest_.shards.empty(), "{}: nothing to pack; an empty set is of no use", folder_);
  spool_.remove();
  write_manifest(partial_, manifest_);
  // The old set keeps its place until the new one is completely on disk.
  const auto old = with_suffix(folder_, ".old");
  const bool has_old = fs::exists(folder_);
  if (has_old) rename_folder(folder_, old);
  rename_folder(partial_, folder_);
  is_finished_ = true;
  const auto parent = fs::path(folder_).parent_path().string();
  sync_path(parent.empty() ? "." : parent);
  if (has_old) fs::remove_all(old);
  return manifest_;
}

}  // namespace stc::data
