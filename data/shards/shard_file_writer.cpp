#include "data/shards/shard_file_writer.h"

#include <hdf5.h>

#include <algorithm>

#include "data/file.h"
#include "data/shards/hdf5_handle.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

/// Every call of HDF5 that writes goes through here.
void check_write(bool is_fine, const std::string& path) {
  STC_CHECK(is_fine, "{}: cannot be written: {}", path, hdf5_cause());
}

class Writer {
 public:
  explicit Writer(const std::string& path) : path_(path), file_(create(path)) {
    check_write(static_cast<bool>(file_), path_);
  }

  void attribute(const char* name, const std::string& value) {
    const Hdf5Handle type(H5Tcopy(H5T_C_S1), H5Tclose);
    H5Tset_size(type.get(), std::max<std::size_t>(value.size(), 1));
    H5Tset_strpad(type.get(), H5T_STR_NULLPAD);
    H5Tset_cset(type.get(), H5T_CSET_UTF8);
    write_attribute(name, type.get(), value.c_str());
  }

  void attribute(const char* name, std::int64_t value) {
    write_attribute(name, H5T_NATIVE_INT64, &value);
  }

  template <typename T>
  void dataset(const char* name, const std::vector<T>& values) {
    const Hdf5Handle set = create_dataset(name, hdf5_type<T>(), values.size());
    const bool is_fine =
        values.empty() ||
        H5Dwrite(set.get(), hdf5_type<T>(), H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data()) >= 0;
    check_write(is_fine, path_);
  }

  void bytes(std::uint64_t size, const std::function<void(std::span<std::uint8_t>)>& next_bytes) {
    constexpr std::uint64_t kPiece = std::uint64_t{4} << 20;
    const Hdf5Handle set = create_dataset("bytes", H5T_NATIVE_UINT8, size);
    const Hdf5Handle space(H5Dget_space(set.get()), H5Sclose);
    std::vector<std::uint8_t> buffer(std::min(size, kPiece));
    for (hsize_t begin = 0; begin < size; begin += kPiece) {
      const hsize_t count = std::min<hsize_t>(kPiece, size - begin);
      next_bytes(std::span(buffer).first(count));
      const Hdf5Handle piece(H5Screate_simple(1, &count, nullptr), H5Sclose);
      H5Sselect_hyperslab(space.get(), H5S_SELECT_SET, &begin, nullptr, &count, nullptr);
      check_write(
          H5Dwrite(
              set.get(), H5T_NATIVE_UINT8, piece.get(), space.get(), H5P_DEFAULT, buffer.data()) >=
              0,
          path_);
    }
  }

  void close() { check_write(file_.close(), path_); }

 private:
  static Hdf5Handle create(const std::string& path) {
    prepare_hdf5();
    const Hdf5Handle access(H5Pcreate(H5P_FILE_ACCESS), H5Pclose);
    // From 1.8 on HDF5's own structures carry checksums, so a flipped byte in them is found.
    H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_LATEST);
    H5Pset_file_locking(access.get(), false, true);
    // No time of day, here and in each data set: the same sources give the same bytes.
    const Hdf5Handle creation(H5Pcreate(H5P_FILE_CREATE), H5Pclose);
    H5Pset_obj_track_times(creation.get(), false);
    return {H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), H5Fclose};
  }

  void write_attribute(const char* name, hid_t type, const void* value) {
    const Hdf5Handle space(H5Screate(H5S_SCALAR), H5Sclose);
    const Hdf5Handle attribute(
        H5Acreate2(file_.get(), name, type, space.get(), H5P_DEFAULT, H5P_DEFAULT), H5Aclose);
    check_write(attribute && H5Awrite(attribute.get(), type, value) >= 0, path_);
  }

  Hdf5Handle create_dataset(const char* name, hid_t type, hsize_t size) {
    const Hdf5Handle space(H5Screate_simple(1, &size, nullptr), H5Sclose);
    const Hdf5Handle properties(H5Pcreate(H5P_DATASET_CREATE), H5Pclose);
    H5Pset_layout(properties.get(), H5D_CONTIGUOUS);
    // Early, so that the data has its place in the file; never filled, so that it is written once.
    H5Pset_alloc_time(properties.get(), H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(properties.get(), H5D_FILL_TIME_NEVER);
    H5Pset_obj_track_times(properties.get(), false);
    Hdf5Handle set(
        H5Dcreate2(
            file_.get(), name, type, space.get(), H5P_DEFAULT, properties.get(), H5P_DEFAULT),
        H5Dclose);
    check_write(static_cast<bool>(set), path_);
    return set;
  }

  std::string path_;
  Hdf5Handle file_;
};

}  // namespace

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
