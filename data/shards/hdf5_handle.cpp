#include "data/shards/hdf5_handle.h"

#include <hdf5.h>

#include <type_traits>

namespace stc::data {
namespace {

static_assert(std::is_same_v<hid_t, std::int64_t> && std::is_same_v<herr_t, int>);

herr_t take_description(unsigned depth, const H5E_error2_t* error, void* target) {
  if (depth == 0 && error->desc != nullptr) *static_cast<std::string*>(target) = error->desc;
  return 0;
}

}  // namespace

void prepare_hdf5() {
  H5dont_atexit();
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

std::string hdf5_cause() {
  std::string cause = "unknown HDF5 error";
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_description, &cause);
  const std::string mark = "error message = '";
  const auto begin = cause.find(mark);
  if (begin == std::string::npos) return cause;
  const auto end = cause.find('\'', begin + mark.size());
  return cause.substr(begin + mark.size(), end - begin - mark.size());
}

template <>
std::int64_t hdf5_type<std::uint8_t>() {
  return H5T_NATIVE_UINT8;
}
template <>
std::int64_t hdf5_type<std::uint32_t>() {
  return H5T_NATIVE_UINT32;
}
template <>
std::int64_t hdf5_type<std::uint64_t>() {
  return H5T_NATIVE_UINT64;
}

}  // namespace stc::data
