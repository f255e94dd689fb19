#include "data/shards/shard_file_reader.h"

#include <hdf5.h>

#include <algorithm>

#include "data/file.h"
#include "data/shards/hdf5_handle.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), file_(open(path)) {
    STC_CHECK_DATA(static_cast<bool>(file_),
                   "{}: is not an HDF5 file, or is damaged ({})",
                   path_,
                   hdf5_cause());
  }

  std::string text_attribute(const char* name) const {
    const Hdf5Handle attribute = open_attribute(name);
    const Hdf5Handle type(H5Aget_type(attribute.get()), H5Tclose);
    STC_CHECK_DATA(
        H5Tget_class(type.get()) == H5T_STRING, "{}: attribute {} is not text", path_, name);
    if (H5Tis_variable_str(type.get()) > 0) return variable_text(attribute, name);
    std::vector<char> value(H5Tget_size(type.get()) + 1, '\0');
    STC_CHECK_DATA(H5Aget_storage_size(attribute.get()) < value.size() &&
                       H5Aread(attribute.get(), type.get(), value.data()) >= 0,
                   "{}: attribute {} cannot be read ({})",
                   path_,
                   name,
                   hdf5_cause());
    return value.data();
  }

  std::int64_t number_attribute(const char* name) const {
    const Hdf5Handle attribute = open_attribute(name);
    const Hdf5Handle space(H5Aget_space(attribute.get()), H5Sclose);
    std::int64_t value = 0;
    STC_CHECK_DATA(H5Sget_simple_extent_npoints(space.get()) == 1 &&
                       H5Aread(attribute.get(), H5T_NATIVE_INT64, &value) >= 0,
                   "{}: attribute {} is not one integer",
                   path_,
                   name);
    return value;
  }

  template <typename T>
  std::vector<T> dataset(const char* name) const {
    const Hdf5Handle set = open_dataset(name, hdf5_type<T>());
    std::vector<T> values(length_of(set, name, sizeof(T)));
    STC_CHECK_DATA(
        values.empty() ||
            H5Dread(set.get(), hdf5_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0,
        "{}: dataset {} cannot be read ({})",
        path_,
        name,
        hdf5_cause());
    return values;
  }

  /// Where the bytes lie in the file, for reads that go past HDF5.
  std::uint64_t position_of_bytes(std::uint64_t expected_size) const {
    const Hdf5Handle set = open_dataset("bytes", H5T_NATIVE_UINT8);
    const Hdf5Handle properties(H5Dget_create_plist(set.get()), H5Pclose);
    const auto size = length_of(set, "bytes", 1);
    const auto position = H5Dget_offset(set.get());
    STC_CHECK_DATA(H5Pget_layout(properties.get()) == H5D_CONTIGUOUS && position != HADDR_UNDEF,
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
  static Hdf5Handle open(const std::string& path) {
    prepare_hdf5();
    // Locks fail on some network file systems, and nobody writes into a finished shard.
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    H5Pset_file_locking(access.get(), false, true);
    return {H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), H5Fclose};
  }

  Hdf5Handle open_attribute(const char* name) const {
    Hdf5Handle attribute(H5Aopen(file_.get(), name, H5P_DEFAULT), H5Aclose);
    STC_CHECK_DATA(static_cast<bool>(attribute),
                   "{}: has no attribute {}; not a shard that `stc pack` wrote",
                   path_,
                   name);
    return attribute;
  }

  std::string variable_text(const Hdf5Handle& attribute, const char* name) const {
    const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), H5T_VARIABLE);
    const Hdf5Handle own(H5Aget_type(attribute.get()), H5Tclose);
    H5Tset_cset(type.get(), H5Tget_cset(own.get()));
    char* value = nullptr;
    STC_CHECK_DATA(H5Aread(attribute.get(), type.get(), &value) >= 0 && value != nullptr,
                   "{}: attribute {} cannot be read ({})",
                   path_,
                   name,
                   hdf5_cause());
    std::string result = value;
    H5free_memory(value);
    return result;
  }

  Hdf5Handle open_dataset(const char* name, hid_t expected_type) const {
    Hdf5Handle set(H5Dopen2(file_.get(), name, H5P_DEFAULT), H5Dclose);
    STC_CHECK_DATA(static_cast<bool>(set), "{}: has no dataset {} ({})", path_, name, hdf5_cause());
    const Hdf5Handle type(H5Dget_type(set.get()), H5Tclose);
    STC_CHECK_DATA(H5Tequal(type.get(), expected_type) > 0,
                   "{}: dataset {} has another element type than format {} requires",
                   path_,
                   name,
                   kShardVersion);
    return set;
  }

  std::uint64_t length_of(const Hdf5Handle& set, const char* name, std::size_t element_size) const {
    const Hdf5Handle space(H5Dget_space(set.get()), H5Sclose);
    hsize_t length = 0;
    STC_CHECK_DATA(H5Sget_simple_extent_ndims(space.get()) == 1 &&
                       H5Sget_simple_extent_dims(space.get(), &length, nullptr) == 1,
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
  Hdf5Handle file_;
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

}  // namespace stc::data
