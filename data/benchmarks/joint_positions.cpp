#include "data/benchmarks/joint_positions.h"

#include <ATen/ATen.h>
#include <matio.h>
#include <zlib.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/benchmarks/jhmdb.h"
#include "data/file.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

constexpr const char* kVariable = "pos_img";

constexpr std::uint64_t kHeaderBytes = 128;
constexpr std::uint64_t kTagBytes = 8;

// matio takes whatever is not a MATLAB 5 file for one of MATLAB 4, and reads numbers from anything.
// Returns whether the file's numbers have the lowest byte first.
bool check_header(const InputFile& file) {
  std::array<std::uint8_t, kHeaderBytes> header = {};
  if (file.size() >= kHeaderBytes) file.read(0, header);
  const std::string_view end(reinterpret_cast<const char*>(header.data()) + kHeaderBytes - 4, 4);
  using namespace std::string_view_literals;
  STC_CHECK_DATA(end != "\0\2IM"sv && end != "\2\0MI"sv,
                 "{}: is a MATLAB 7.3 file (HDF5); expected version 5: save it with -v7",
                 file.path());
  STC_CHECK_DATA(end == "\0\1IM"sv || end == "\1\0MI"sv,
                 "{}: is not a MATLAB file of version 5; expected {} in one",
                 file.path(),
                 kVariable);
  return end[2] == 'I';
}

// Whether zlib's own checksum fits: matio does not look at it.
bool inflates(std::vector<std::uint8_t> compressed) {
  std::array<std::uint8_t, 1 << 14> inflated;
  z_stream stream = {};
  if (inflateInit(&stream) != Z_OK) return false;
  stream.next_in = compressed.data();
  stream.avail_in = static_cast<uInt>(compressed.size());
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_out = inflated.data();
    stream.avail_out = inflated.size();
    state = inflate(&stream, Z_NO_FLUSH);
  }
  inflateEnd(&stream);
  return state == Z_STREAM_END;
}

// matio reads zeros from a file that was cut short, and arbitrary values from changed bytes. So its
// elements are walked through first: a tag (kind, bytes that follow) and its content, one after
// the other.
void check_is_whole(const InputFile& file, bool lowest_byte_first) {
  constexpr std::uint32_t kCompressed = 15;
  std::uint64_t at = kHeaderBytes;
  while (at + kTagBytes <= file.size()) {
    std::array<std::uint8_t, kTagBytes> tag;
    file.read(at, tag);
    at += kTagBytes;
    const auto number = [&](int first) {
      std::uint32_t value = 0;
      for (int i = 0; i < 4; ++i)
        value |= std::uint32_t{tag[first + (lowest_byte_first ? i : 3 - i)]} << 8 * i;
      return value;
    };
    const auto kind = number(0), bytes = number(4);
    STC_CHECK_DATA(at + bytes <= file.size(),
                   "{}: is cut short: {} bytes, of at least {}",
                   file.path(),
                   file.size(),
                   at + bytes);
    std::vector<std::uint8_t> content(kind == kCompressed ? bytes : 0);
    file.read(at, content);
    STC_CHECK_DATA(kind != kCompressed || inflates(std::move(content)),
                   "{}: is damaged: the checksum of its content does not fit",
                   file.path());
    at += bytes;
  }
}

std::string shape_of(const matvar_t& variable) {
  std::string shape = "[";
  for (int i = 0; i < variable.rank; ++i)
    shape += (i > 0 ? ", " : "") + std::to_string(variable.dims[i]);
  return shape + "]";
}

// MATLAB leaves a last dimension of 1 out.
std::int64_t frames_of(const matvar_t& variable) {
  const bool is_joints = (variable.rank == 2 || variable.rank == 3) && variable.dims[0] == 2 &&
                         variable.dims[1] == static_cast<std::size_t>(kJointCount);
  if (!is_joints) return 0;
  return variable.rank == 2 ? 1 : static_cast<std::int64_t>(variable.dims[2]);
}

}  // namespace

at::Tensor read_joints(const std::string& path) {
  {
    const InputFile content(path);
    check_is_whole(content, check_header(content));
  }
  const std::unique_ptr<mat_t, decltype(&Mat_Close)> file(Mat_Open(path.c_str(), MAT_ACC_RDONLY),
                                                          &Mat_Close);
  STC_CHECK_DATA(file != nullptr, "{}: does not open as a MATLAB file; it may be damaged", path);
  const std::unique_ptr<matvar_t, decltype(&Mat_VarFree)> variable(
      Mat_VarRead(file.get(), kVariable), &Mat_VarFree);
  STC_CHECK_DATA(variable != nullptr,
                 "{}: holds no {}; expected doubles [2, {}, frames]",
                 path,
                 kVariable,
                 kJointCount);
  const auto frames = frames_of(*variable);
  STC_CHECK_DATA(frames > 0 && variable->class_type == MAT_C_DOUBLE && variable->isComplex == 0,
                 "{}: {} is {}{}; expected doubles [2, {}, frames]",
                 path,
                 kVariable,
                 shape_of(*variable),
                 variable->class_type == MAT_C_DOUBLE ? "" : ", not of doubles",
                 kJointCount);
  const auto bytes = static_cast<std::size_t>(frames) * kJointCount * 2 * sizeof(double);
  STC_CHECK_DATA(
      variable->data != nullptr && variable->nbytes == bytes, "{}: {} is damaged", path, kVariable);
  // MATLAB's first index is the fastest, so that [2, 15, T] there is [T, 15, 2] here.
  auto joints = at::from_blob(variable->data, {frames, kJointCount, 2}, at::kDouble) - 1;
  STC_CHECK_DATA(joints.isfinite().all().item<bool>(),
                 "{}: {} holds a position that is not a number",
                 path,
                 kVariable);
  STC_CHECK_DATA(joints.abs().max().item<double>() > 2,
                 "{}: all positions of {} are within 0 and 2; expected pixels, not shares of the "
                 "picture",
                 path,
                 kVariable);
  return joints;
}

}  // namespace stc::data
