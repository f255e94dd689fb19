#include "data/shards/shard_file.h"

#include <hdf5.h>

#include <algorithm>
#include <utility>

#include "data/file.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

/// An HDF5 identifier that is closed with the scope.
class Handle {
 public:
  using Close = herr_t (*)(hid_t);

  Handle(hid_t id, Close how_to_close) : id_(id), close_(how_to_close) {}
  ~Handle() {
    if (id_ >= 0) close_(id_);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}

  operator hid_t() const { return id_; }
  bool is_open() const { return id_ >= 0; }
  /// Closing a file writes to it, so a writer must see whether it succeeded.
  bool close() { return close_(std::exchange(id_, -1)) >= 0; }

 private:
  hid_t id_;
  Close close_;
};

herr_t take_description(unsigned depth, const H5E_error2_t* error, void* target) {
  if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(target) = error->desc;
  return 0;
}

/// The innermost cause of the call that just failed; for a failed system call only its own message.
std::string cause_of_failure() {
  std::string cause = "unknown HDF5 error";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_description, &cause);
  const std::string mark = "error message = '";
  const auto begin = cause.find(mark);
  if (begin == std::string::npos) return cause;
  const auto end = cause.find('\'', begin + mark.size());
  return cause.substr(begin + mark.size(), end - begin - mark.size());
}

/// How both sides open a file. Without this HDF5 prints its stack of errors, and closes files at
/// exit; one that could not be written (disk full) makes it crash there.
Handle file_access() {
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
  // Locks fail on some network file systems, and nobody writes into a finished shard.
  H5Pset_file_locking(access, false, true);
  return access;
}

hid_t type_of(std::uint8_t) { return H5T_NATIVE_UINT8; }
hid_t type_of(std::uint32_t) { return H5T_NATIVE_UINT32; }
hid_t type_of(std::uint64_t) { return H5T_NATIVE_UINT64; }

class Reader {
 public:
  explicit Reader(const std::string& path)
      : path_(path), file_(H5Fopen(path.c_str(), H5F_ACC_RDONLY, file_access()), H5Fclose) {
    STC_CHECK_DATA(
        file_.is_open(), "{}: is not an HDF5 file, or is damaged ({})", path_, cause_of_failure());
  }

  std::string text_attribute(const char* name) const {
    const Handle attribute = open_attribute(name);
    const Handle type(H5Aget_type(attribute), H5Tclose);
    STC_CHECK_DATA(H5Tget_class(type) == H5T_STRING, "{}: attribute {} is not text", path_, name);
    if (H5Tis_variable_str(type) > 0) {
      char* value = nullptr;
      const bool is_read = H5Aread(attribute, type, &value) >= 0 && value != nullptr;
      check_read(is_read, "attribute", name);
      std::string result = value;
      H5free_memory(value);
      return result;
    }
    std::vector<char> value(H5Tget_size(type) + 1, '\0');
    const bool fits = H5Aget_storage_size(attribute) < value.size();
    check_read(fits && H5Aread(attribute, type, value.data()) >= 0, "attribute", name);
    return value.data();
  }

  std::int64_t number_attribute(const char* name) const {
    const Handle attribute = open_attribute(name);
    const Handle space(H5Aget_space(attribute), H5Sclose);
    std::int64_t value = 0;
    STC_CHECK_DATA(H5Sget_simple_extent_npoints(space) == 1 &&
                       H5Aread(attribute, H5T_NATIVE_INT64, &value) >= 0,
                   "{}: attribute {} is not one integer",
                   path_,
                   name);
    return value;
  }

  template <typename T>
  std::vector<T> dataset(const char* name) const {
    const Handle set = open_dataset(name, type_of(T()));
    std::vector<T> values(length_of(set, name, sizeof(T)));
    const bool is_read =
        values.empty() ||
        H5Dread(set, type_of(T()), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0;
    check_read(is_read, "dataset", name);
    return values;
  }

  /// Where the bytes lie in the file, for reads that go past HDF5.
  std::uint64_t position_of_bytes(std::uint64_t expected_size) const {
    const Handle set = open_dataset("bytes", H5T_NATIVE_UINT8);
    const Handle properties(H5Dget_create_plist(set), H5Pclose);
    const auto size = length_of(set, "bytes", 1);
    const auto position = H5Dget_offset(set);
    STC_CHECK_DATA(H5Pget_layout(properties) == H5D_CONTIGUOUS && position != HADDR_UNDEF,
                   "{}: dataset bytes is not contiguous; pack the set again",
                   path_);
    STC_CHECK_DATA(size == expected_size,
                   "{}: dataset bytes holds {} bytes, its offsets end at {}",
                   path_,
                   size,
                   expected_size);
    const auto file_size = InputFile(path_).size();
    STC_CHECK_DATA(
        position <= file_size && size <= file_size - position,
        "{}: ends at byte {}, {} bytes too early; it was cut short: copy or pack it again",
        path_,
        file_size,
        position + size - file_size);
    return position;
  }

 private:
  void check_read(bool is_read, const char* kind, const char* name) const {
    STC_CHECK_DATA(is_read, "{}: {} {} cannot be read ({})", path_, kind, name, cause_of_failure());
  }

  Handle open_attribute(const char* name) const {
    Handle attribute(H5Aopen(file_, name, H5P_DEFAULT), H5Aclose);
    STC_CHECK_DATA(attribute.is_open(),
                   "{}: has no attribute {}; not a shard that `stc pack` wrote",
                   path_,
                   name);
    return attribute;
  }

  Handle open_dataset(const char* name, hid_t expected_type) const {
    Handle set(H5Dopen2(file_, name, H5P_DEFAULT), H5Dclose);
    STC_CHECK_DATA(set.is_open(), "{}: has no dataset {} ({})", path_, name, cause_of_failure());
    const Handle type(H5Dget_type(set), H5Tclose);
    STC_CHECK_DATA(H5Tequal(type, expected_type) > 0,
                   "{}: dataset {} has another element type than format {} requires",
                   path_,
                   name,
                   kShardVersion);
    return set;
  }

  std::uint64_t length_of(const Handle& set, const char* name, std::size_t element_size) const {
    const Handle space(H5Dget_space(set), H5Sclose);
    hsize_t length = 0;
    STC_CHECK_DATA(H5Sget_simple_extent_ndims(space) == 1 &&
                       H5Sget_simple_extent_dims(space, &length, nullptr) == 1,
                   "{}: dataset {} is not one-dimensional",
                   path_,
                   name);
    // A damaged length must not ask for more memory than the file could fill.
    STC_CHECK_DATA(length <= InputFile(path_).size() / element_size,
                   "{}: dataset {} claims {} elements, more than the file holds; it is damaged or "
                   "was cut short",
                   path_,
                   name,
                   length);
    return length;
  }

  std::string path_;
  Handle file_;
};

/// A table of offsets starts at 0, never falls, ends at `end`, and has one more element than
/// `count`.
void check_offsets(const std::string& path,
                   const char* name,
                   const std::vector<std::uint64_t>& offset,
                   std::size_t count,
                   std::uint64_t end) {
  STC_CHECK_DATA(offset.size() == count + 1,
                 "{}: dataset {} has {} elements; expected {}",
                 path,
                 name,
                 offset.size(),
                 count + 1);
  STC_CHECK_DATA(
      offset.front() == 0 && offset.back() == end && std::is_sorted(offset.begin(), offset.end()),
      "{}: dataset {} does not run from 0 to {} in rising order",
      path,
      name,
      end);
}

void check_attributes(const Reader& file, const std::string& path) {
  const auto format = file.text_attribute("format");
  STC_CHECK_DATA(format == kShardFormat,
                 "{}: attribute format is \"{}\"; expected \"{}\"",
                 path,
                 format,
                 kShardFormat);
  const auto version = file.number_attribute("version");
  STC_CHECK_DATA(version == kShardVersion,
                 "{}: is of version {}, this program reads version {}; pack the set again",
                 path,
                 version,
                 kShardVersion);
}

void check_videos(const std::string& path, const ShardIndex& index) {
  STC_CHECK_DATA(index.video_offset.size() > 1, "{}: holds no video", path);
  const auto videos = index.video_offset.size() - 1;
  check_offsets(path, "video_offset", index.video_offset, videos, index.size());
  check_offsets(
      path, "video_name_offset", index.video_name.offset, videos, index.video_name.bytes.size());
  const auto& offset = index.video_offset;
  STC_CHECK_DATA(std::adjacent_find(offset.begin(), offset.end()) == offset.end(),
                 "{}: holds a video without frames",
                 path);
}

class Writer {
 public:
  explicit Writer(const std::string& path) : path_(path), file_(create(path)) {
    check_write(file_.is_open());
  }

  void attribute(const char* name, const std::string& value) {
    const Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type, std::max<std::size_t>(value.size(), 1));
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    write_attribute(name, type, value.c_str());
  }

  void attribute(const char* name, std::int64_t value) {
    write_attribute(name, H5T_NATIVE_INT64, &value);
  }

  template <typename T>
  void dataset(const char* name, const std::vector<T>& values) {
    const Handle set = create_dataset(name, type_of(T()), values.size());
    const bool is_fine =
        values.empty() ||
        H5Dwrite(set, type_of(T()), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0;
    check_write(is_fine);
  }

  void bytes(std::uint64_t size, const std::function<void(std::span<std::uint8_t>)>& next_bytes) {
    constexpr std::uint64_t kPiece = std::uint64_t{4} << 20;
    const Handle set = create_dataset("bytes", H5T_NATIVE_UINT8, size);
    const Handle space(H5Dget_space(set), H5Sclose);
    std::vector<std::uint8_t> buffer(std::min(size, kPiece));
    for (hsize_t begin = 0; begin < size; begin += kPiece) {
      const hsize_t count = std::min<hsize_t>(kPiece, size - begin);
      next_bytes(std::span(buffer).first(count));
      const Handle piece(H5Screate_simple(1, &count, nullptr), H5Sclose);
      H5Sselect_hyperslab(space, H5S_SELECT_SET, &begin, nullptr, &count, nullptr);
      check_write(H5Dwrite(set, H5T_NATIVE_UINT8, piece, space, H5P_DEFAULT, buffer.data()) >= 0);
    }
  }

  void close() { check_write(file_.close()); }

 private:
  static Handle create(const std::string& path) {
    const Handle access = file_access();
    // From 1.8 on HDF5's own structures carry checksums, so a flipped byte in them is found.
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_LATEST);
    // No time of day, here and in each data set: the same sources give the same bytes.
    const Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    H5Pset_obj_track_times(creation, false);
    return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation, access), H5Fclose};
  }

  /// Every call of HDF5 that writes goes through here.
  void check_write(bool is_fine) const {
    STC_CHECK(is_fine, "{}: cannot be written: {}", path_, cause_of_failure());
  }

  void write_attribute(const char* name, hid_t type, const void* value) {
    const Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Handle attribute(H5Acreate2(file_, name, type, space, H5P_DEFAULT, H5P_DEFAULT),
                           H5Aclose);
    check_write(attribute.is_open() && H5Awrite(attribute, type, value) >= 0);
  }

  Handle create_dataset(const char* name, hid_t type, hsize_t size) {
    const Handle space(H5Screate_simple(1, &size, nullptr), H5Sclose);
    const Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_layout(properties, H5D_CONTIGUOUS);
    // Early, so that the data has its place in the file; never filled, so that it is written once.
    H5Pset_alloc_time(properties, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(properties, H5D_FILL_TIME_NEVER);
    H5Pset_obj_track_times(properties, false);
    Handle set(H5Dcreate2(file_, name, type, space, H5P_DEFAULT, properties, H5P_DEFAULT),
               H5Dclose);
    check_write(set.is_open());
    return set;
  }

  std::string path_;
  Handle file_;
};

}  // namespace

OpenedShard read_shard_index(const std::string& path) {
  const Reader file(path);
  check_attributes(file, path);
  OpenedShard shard;
  auto& index = shard.index;
  index.kind = kind_of(file.text_attribute("kind"), path);
  index.encoding = file.text_attribute("encoding");
  index.crc32c = file.dataset<std::uint32_t>("crc32c");
  index.offset = file.dataset<std::uint64_t>("offset");
  index.name.bytes = file.dataset<std::uint8_t>("name");
  index.name.offset = file.dataset<std::uint64_t>("name_offset");

  const auto count = file.number_attribute("count");
  STC_CHECK_DATA(count > 0 && static_cast<std::uint64_t>(count) == index.size(),
                 "{}: attribute count is {}, dataset crc32c has {} elements; expected the same "
                 "number, at least 1",
                 path,
                 count,
                 index.size());
  STC_CHECK_DATA(!index.offset.empty(), "{}: dataset offset is empty", path);
  check_offsets(path, "offset", index.offset, index.size(), index.offset.back());
  check_offsets(path, "name_offset", index.name.offset, index.size(), index.name.bytes.size());
  if (index.kind == ShardKind::kVideos) {
    index.video_offset = file.dataset<std::uint64_t>("video_offset");
    index.video_name.bytes = file.dataset<std::uint8_t>("video_name");
    index.video_name.offset = file.dataset<std::uint64_t>("video_name_offset");
    check_videos(path, index);
  }
  shard.bytes_position = file.position_of_bytes(index.byte_count());

  const auto expected = file.text_attribute("source_digest");
  STC_CHECK_DATA(index.digest() == expected,
                 "{}: its index does not match its digest ({}, expected {}); the file is damaged: "
                 "copy or pack it again",
                 path,
                 index.digest(),
                 expected);
  return shard;
}

void write_shard(const std::string& path,
                 const ShardIndex& index,
                 const std::function<void(std::span<std::uint8_t>)>& next_bytes) {
  Writer file(path);
  file.attribute("format", kShardFormat);
  file.attribute("version", kShardVersion);
  file.attribute("kind", name_of(index.kind));
  file.attribute("count", static_cast<std::int64_t>(index.size()));
  file.attribute("encoding", index.encoding);
  file.attribute("source_digest", index.digest());
  file.dataset("offset", index.offset);
  file.dataset("crc32c", index.crc32c);
  file.dataset("name", index.name.bytes);
  file.dataset("name_offset", index.name.offset);
  if (index.kind == ShardKind::kVideos) {
    file.dataset("video_offset", index.video_offset);
    file.dataset("video_name", index.video_name.bytes);
    file.dataset("video_name_offset", index.video_name.offset);
  }
  file.bytes(index.byte_count(), next_bytes);
  file.close();
  sync_path(path);
}

}  // namespace stc::data
