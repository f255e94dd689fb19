#include "data/weights/safetensors.h"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>
#include <vector>

#include "data/file.h"
#include "monitoring/check.h"
#include "monitoring/json_text.h"

namespace stc::data {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian");

constexpr std::uint64_t kLargestHeader = 100'000'000;  // what the reference reader accepts

struct TypeName {
  at::ScalarType type;
  const char* name;
};
constexpr TypeName kTypes[] = {
    {at::kDouble, "F64"},
    {at::kFloat, "F32"},
    {at::kHalf, "F16"},
    {at::kBFloat16, "BF16"},
    {at::kLong, "I64"},
    {at::kInt, "I32"},
    {at::kShort, "I16"},
    {at::kChar, "I8"},
    {at::kByte, "U8"},
    {at::kBool, "BOOL"},
};

struct Entry {
  std::string name;
  at::ScalarType type;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0;  // from the end of the header
  std::uint64_t end = 0;
};

struct Header {
  json entries;
  std::uint64_t data_begin = 0;  // position in the file
};

// Bytes of a tensor; 2^64 - 1, which no file can hold, if the product overflows.
std::uint64_t byte_count(const Entry& entry) {
  std::uint64_t bytes = at::elementSize(entry.type);
  for (const auto side : entry.shape) {
    if (__builtin_mul_overflow(bytes, static_cast<std::uint64_t>(side), &bytes)) return ~0ULL;
  }
  return bytes;
}

std::span<std::uint8_t> bytes_of(const at::Tensor& tensor) {
  return {static_cast<std::uint8_t*>(tensor.data_ptr()), tensor.nbytes()};
}

Header read_header(const InputFile& file) {
  std::uint64_t length = 0;
  STC_CHECK_DATA(file.size() >= sizeof(length),
                 "{}: holds {} bytes, too few for a safetensors file",
                 file.path(),
                 file.size());
  file.read(0, {reinterpret_cast<std::uint8_t*>(&length), sizeof(length)});
  STC_CHECK_DATA(length >= 2 && length <= kLargestHeader,
                 "{}: is not a safetensors file (its first 8 bytes are not the length of a header)",
                 file.path());
  STC_CHECK_DATA(
      length <= file.size() - sizeof(length),
      "{}: its header should have {} bytes, the file has {}; not a safetensors file, or cut short",
      file.path(),
      length,
      file.size());
  std::vector<std::uint8_t> text(length);
  file.read(sizeof(length), text);
  auto header = json::parse(text.begin(), text.end(), nullptr, /*allow_exceptions=*/false);
  STC_CHECK_DATA(header.is_object(),
                 "{}: is not a safetensors file (its header is not a JSON object)",
                 file.path());
  return {std::move(header), sizeof(length) + length};
}

Entry read_entry(const std::string& path, const std::string& name, const json& value) {
  Entry entry;
  entry.name = name;
  try {
    const auto type = value.at("dtype").get<std::string>();
    const auto* known = std::find_if(std::begin(kTypes),
                                     std::end(kTypes),
                                     [&](const TypeName& each) { return type == each.name; });
    STC_CHECK_DATA(known != std::end(kTypes),
                   "{}: tensor {} has the dtype {}, which is not supported",
                   path,
                   name,
                   type);
    entry.type = known->type;
    for (const auto& side : value.at("shape")) {
      STC_CHECK_DATA(side.is_number_unsigned() && side.get<std::uint64_t>() < (1ULL << 62),
                     "{}: tensor {} has the shape {}",
                     path,
                     name,
                     value.at("shape").dump());
      entry.shape.push_back(side.get<std::int64_t>());
    }
    const auto& offsets = value.at("data_offsets");
    STC_CHECK_DATA(offsets.is_array() && offsets.size() == 2 && offsets[0].is_number_unsigned() &&
                       offsets[1].is_number_unsigned(),
                   "{}: tensor {} has the offsets {}",
                   path,
                   name,
                   offsets.dump());
    entry.begin = offsets[0].get<std::uint64_t>();
    entry.end = offsets[1].get<std::uint64_t>();
  } catch (const json::exception& cause) {
    throw Error(Exit::kBadData, text("{}: tensor {}: {}", path, name, cause.what()));
  }
  return entry;
}

// Tensors must tile the data exactly: no hole, no overlap, nothing past the end.
// `entries` in the order of the file.
void check_offsets(const std::string& path,
                   const std::vector<Entry>& entries,
                   std::uint64_t data_bytes) {
  std::uint64_t expected = 0;
  for (const auto& entry : entries) {
    STC_CHECK_DATA(entry.begin == expected && entry.end >= entry.begin &&
                       entry.end - entry.begin == byte_count(entry),
                   "{}: tensor {} lies at bytes {} to {}, which does not fit its shape and the "
                   "tensors beside it",
                   path,
                   entry.name,
                   entry.begin,
                   entry.end);
    STC_CHECK_DATA(entry.end <= data_bytes,
                   "{}: tensor {} ends at byte {} of the data, the file holds {}; it was cut "
                   "short: copy or make it again",
                   path,
                   entry.name,
                   entry.end,
                   data_bytes);
    expected = entry.end;
  }
  STC_CHECK_DATA(expected == data_bytes,
                 "{}: holds {} bytes after its last tensor; not a safetensors file, or damaged",
                 path,
                 data_bytes - expected);
}

std::map<std::string, std::string> read_metadata(const std::string& path, const json& value) {
  std::map<std::string, std::string> metadata;
  STC_CHECK_DATA(value.is_object(), "{}: __metadata__ is not an object", path);
  for (const auto& [key, each] : value.items()) {
    STC_CHECK_DATA(each.is_string(), "{}: __metadata__ {} is not a string", path, key);
    metadata.emplace(key, each.get<std::string>());
  }
  return metadata;
}

// Wide types first: then every tensor is aligned to its own type, as readers that map the file
// expect.
std::vector<Entry> lay_out(const NamedTensors& tensors) {
  std::vector<Entry> entries;
  for (const auto& [name, tensor] : tensors) {
    STC_CHECK(name != "__metadata__",
              "a tensor cannot be named __metadata__ in a safetensors file");
    entries.push_back({name, tensor.scalar_type(), tensor.sizes().vec()});
  }
  std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return at::elementSize(a.type) > at::elementSize(b.type);
  });
  std::uint64_t offset = 0;
  for (auto& entry : entries) {
    entry.begin = offset;
    offset += byte_count(entry);
    entry.end = offset;
  }
  return entries;
}

std::string header_of(const std::string& path,
                      const std::vector<Entry>& entries,
                      const std::map<std::string, std::string>& metadata) {
  json header = json::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  for (const auto& entry : entries) {
    const auto* known = std::find_if(std::begin(kTypes),
                                     std::end(kTypes),
                                     [&](const TypeName& each) { return entry.type == each.type; });
    STC_CHECK(known != std::end(kTypes),
              "{}: tensor {} has the type {}, which safetensors files do not hold",
              path,
              entry.name,
              at::toString(entry.type));
    header[entry.name] = {
        {"dtype", known->name}, {"shape", entry.shape}, {"data_offsets", {entry.begin, entry.end}}};
  }
  auto line = json_text(header);
  line.append((8 - line.size() % 8) % 8, ' ');
  return line;
}

}  // namespace

bool is_safetensors_file(const std::string& path) {
  const InputFile file(path);
  std::uint8_t start[9] = {};  // the header's length, and its opening brace
  if (file.size() < sizeof(start)) return false;
  file.read(0, start);
  return start[8] == '{';
}

SafeTensors read_safetensors(const std::string& path) {
  const InputFile file(path);
  const auto header = read_header(file);

  SafeTensors result;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.entries.items()) {
    if (name == "__metadata__") {
      result.metadata = read_metadata(path, value);
    } else {
      entries.push_back(read_entry(path, name, value));
    }
  }
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  check_offsets(path, entries, file.size() - header.data_begin);

  for (const auto& entry : entries) {
    auto tensor = at::empty(entry.shape, at::TensorOptions().dtype(entry.type));
    file.read(header.data_begin + entry.begin, bytes_of(tensor));
    result.tensors.emplace(entry.name, std::move(tensor));
  }
  return result;
}

void write_safetensors(const std::string& path,
                       const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  const auto entries = lay_out(tensors);
  const auto header = header_of(path, entries, metadata);
  const std::uint64_t length = header.size();

  OutputFile file(path);
  file.write({reinterpret_cast<const std::uint8_t*>(&length), sizeof(length)});
  file.write({reinterpret_cast<const std::uint8_t*>(header.data()), header.size()});
  for (const auto& entry : entries) {
    file.write(bytes_of(tensors.at(entry.name).detach().to(at::kCPU).contiguous()));
  }
  file.commit();
}

}  // namespace stc::data
