// HDF5 identifiers that close themselves, and its errors in words. Private to data; no HDF5 in this
// header: hid_t is std::int64_t and herr_t is int.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace stc::data {

/// An HDF5 identifier that is closed with the scope.
class Hdf5Handle {
 public:
  using Close = int (*)(std::int64_t);

  Hdf5Handle(std::int64_t id, Close how_to_close) : id_(id), close_(how_to_close) {}
  ~Hdf5Handle() {
    if (id_ >= 0) close_(id_);
  }
  Hdf5Handle(const Hdf5Handle&) = delete;
  Hdf5Handle& operator=(const Hdf5Handle&) = delete;
  Hdf5Handle(Hdf5Handle&& other) noexcept
      : id_(std::exchange(other.id_, -1)), close_(other.close_) {}

  explicit operator bool() const { return id_ >= 0; }
  std::int64_t get() const { return id_; }
  /// Closing a file writes to it, so a writer must see whether it succeeded.
  bool close() { return close_(std::exchange(id_, -1)) >= 0; }

 private:
  std::int64_t id_;
  Close close_;
};

/// To be called before the first use of HDF5 in a thread. Without it HDF5 prints its stack of
/// errors, and closes files at exit; one that could not be written (disk full) makes it crash
/// there.
void prepare_hdf5();

/// The innermost cause of the call that just failed; for a failed system call only its own message.
std::string hdf5_cause();

/// H5T_NATIVE_... of uint8, uint32 or uint64.
template <typename T>
std::int64_t hdf5_type();

}  // namespace stc::data
