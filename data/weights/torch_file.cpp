#include "data/weights/torch_file.h"

#include <ATen/ATen.h>
#include <caffe2/serialize/inline_container.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <span>
#include <string_view>
#include <vector>

#include "data/file.h"
#include "data/weights/unpickler.h"
#include "monitoring/check.h"

namespace stc::data {
namespace {

using Bytes = std::span<const std::uint8_t>;

// A pickle of protocol 2 that holds one number; torch.save began files with it before 1.6.
constexpr std::array<std::uint8_t, 15> kOldMagic = {
    0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e};
constexpr std::array<std::uint8_t, 4> kZipMagic = {'P', 'K', 3, 4};
constexpr int kMaxDepth = 32;  // dicts within dicts

bool starts_with(Bytes bytes, Bytes magic) {
  return bytes.size() >= magic.size() && std::equal(magic.begin(), magic.end(), bytes.begin());
}

const std::map<std::string, at::ScalarType> kStorageTypes = {
    {"torch.FloatStorage", at::kFloat},
    {"torch.DoubleStorage", at::kDouble},
    {"torch.HalfStorage", at::kHalf},
    {"torch.BFloat16Storage", at::kBFloat16},
    {"torch.LongStorage", at::kLong},
    {"torch.IntStorage", at::kInt},
    {"torch.ShortStorage", at::kShort},
    {"torch.CharStorage", at::kChar},
    {"torch.ByteStorage", at::kByte},
    {"torch.BoolStorage", at::kBool},
};

/// Tensors are views of storages, whose content is read after the pickle that names them.
class Storages {
 public:
  Storages(std::string name, std::uint64_t file_size)
      : name_(std::move(name)), file_size_(file_size) {}

  Unpickler::Hooks hooks() {
    return {[this](const PickleItems& id) { return storage(id); },
            [this](const std::string& global, const PickleItems& arguments) {
              return call(global, arguments);
            }};
  }
  const std::map<std::string, at::Tensor>& by_key() const { return by_key_; }

  /// `key` must be one of by_key().
  void fill(const std::string& key, Bytes content) {
    const auto& flat = by_key_.at(key);
    STC_CHECK_DATA(content.size() == flat.nbytes(),
                   "{}: storage {} has {} bytes; expected {}",
                   name_,
                   key,
                   content.size(),
                   flat.nbytes());
    if (!content.empty()) std::memcpy(flat.data_ptr(), content.data(), content.size());
  }

 private:
  // ("storage", torch.FloatStorage, key, location, number of elements, ...)
  PickleValue storage(const PickleItems& id) {
    const auto* type = id.size() >= 5 ? id[1].get_if<PickleGlobal>() : nullptr;
    const auto* key = type != nullptr ? id[2].get_if<std::string>() : nullptr;
    const auto* count = type != nullptr ? id[4].get_if<std::int64_t>() : nullptr;
    STC_CHECK_DATA(key != nullptr && count != nullptr, "{}: a storage of unknown form", name_);
    const auto known = kStorageTypes.find(type->name);
    STC_CHECK_DATA(
        known != kStorageTypes.end(), "{}: tensors of {} are not supported", name_, type->name);
    const auto scalar = known->second;
    STC_CHECK_DATA(
        *count >= 0 && static_cast<std::uint64_t>(*count) <= file_size_ / c10::elementSize(scalar),
        "{}: cut short, or damaged: storage {} has {} elements",
        name_,
        *key,
        *count);
    auto& flat = by_key_[*key];
    if (!flat.defined()) flat = at::zeros({*count}, scalar);
    return {flat};
  }

  PickleValue call(const std::string& global, const PickleItems& arguments) const {
    if (global == "collections.OrderedDict") return ordered_dict(arguments);
    if (global == "torch._utils._rebuild_tensor_v2" || global == "torch._utils._rebuild_tensor")
      return {tensor(arguments)};
    if (global.starts_with("torch._utils._rebuild_parameter") && !arguments.empty())
      return arguments[0];
    return {};
  }

  // Python 2 gives the entries as a list of pairs, Python 3 adds them later.
  static PickleValue ordered_dict(const PickleItems& arguments) {
    auto entries = std::make_shared<PickleEntries>();
    const auto* pairs = arguments.empty() ? nullptr : arguments[0].items();
    if (pairs == nullptr) return {entries};
    for (const auto& pair : *pairs) {
      if (pair.items() != nullptr && pair.items()->size() == 2)
        entries->emplace_back((*pair.items())[0], (*pair.items())[1]);
    }
    return {entries};
  }

  // (storage, offset, sizes, strides, ...)
  at::Tensor tensor(const PickleItems& arguments) const {
    const auto* flat = arguments.size() >= 4 ? arguments[0].get_if<at::Tensor>() : nullptr;
    const auto* offset = flat != nullptr ? arguments[1].get_if<std::int64_t>() : nullptr;
    STC_CHECK_DATA(offset != nullptr, "{}: a tensor of unknown form", name_);
    const auto sizes = numbers(arguments[2]), strides = numbers(arguments[3]);
    STC_CHECK_DATA(sizes.size() == strides.size() && *offset >= 0, "{}: a damaged tensor", name_);
    const auto is_within = [&] {
      std::int64_t last = *offset;
      for (std::size_t i = 0; i < sizes.size(); ++i) {
        if (sizes[i] == 0) return true;
        if (sizes[i] > 1 && strides[i] > flat->numel() / (sizes[i] - 1)) return false;
        last += (sizes[i] - 1) * strides[i];
        if (last >= flat->numel()) return false;
      }
      return last < flat->numel();
    };
    STC_CHECK_DATA(is_within(), "{}: a tensor that exceeds its storage", name_);
    return flat->as_strided(sizes, strides, *offset);
  }

  std::vector<std::int64_t> numbers(const PickleValue& value) const {
    std::vector<std::int64_t> numbers;
    STC_CHECK_DATA(value.items() != nullptr, "{}: a tensor without a shape", name_);
    for (const auto& item : *value.items()) {
      const auto* number = item.get_if<std::int64_t>();
      STC_CHECK_DATA(number != nullptr && *number >= 0, "{}: a tensor of a damaged shape", name_);
      numbers.push_back(*number);
    }
    return numbers;
  }

  std::string name_;
  std::uint64_t file_size_;
  std::map<std::string, at::Tensor> by_key_;
};

NamedTensors tensors_of(const PickleValue& value, const std::string& name = "", int depth = 0) {
  NamedTensors found;
  if (const auto* tensor = value.get_if<at::Tensor>()) found.emplace(name, *tensor);
  if (value.entries() == nullptr || depth == kMaxDepth) return found;
  for (const auto& [key, inner] : *value.entries()) {
    if (const auto* part = key.get_if<std::string>())
      found.merge(tensors_of(inner, name.empty() ? *part : name + "." + *part, depth + 1));
  }
  return found;
}

NamedTensors read_zip(const std::string& path, std::uint64_t file_size) {
  Storages storages(path, file_size);
  try {
    caffe2::serialize::PyTorchStreamReader reader(path);
    const auto record = [&](const std::string& name) { return reader.getRecord(name); };
    const auto [pickle, size] = record("data.pkl");
    Unpickler unpickler(
        {static_cast<const std::uint8_t*>(pickle.get()), size}, 0, path, storages.hooks());
    const auto value = unpickler.read();
    for (const auto& [key, flat] : storages.by_key()) {
      const auto [content, bytes] = record("data/" + key);
      storages.fill(key, {static_cast<const std::uint8_t*>(content.get()), bytes});
    }
    return tensors_of(value);
  } catch (const c10::Error& error) {
    throw Error(Exit::kBadData,
                text("{}: is not a zip file by torch.save, or damaged: {}",
                     path,
                     error.what_without_backtrace()));
  }
}

// Magic number, version, facts of the machine, value, keys of the storages: a pickle each. Then
// each storage's number of elements and content.
NamedTensors read_old_form(const std::string& path, Bytes file) {
  Storages storages(path, file.size());
  Unpickler unpickler(file, kOldMagic.size(), path, storages.hooks());
  unpickler.read();
  unpickler.read();
  const auto value = unpickler.read();
  const auto keys = unpickler.read();
  auto rest = file.subspan(unpickler.position());
  STC_CHECK_DATA(keys.items() != nullptr, "{}: damaged: its storages are not listed", path);
  for (const auto& item : *keys.items()) {
    const auto* key = item.get_if<std::string>();
    STC_CHECK_DATA(key != nullptr && storages.by_key().contains(*key),
                   "{}: damaged: a storage that belongs to no tensor",
                   path);
    const auto bytes = storages.by_key().at(*key).nbytes();
    STC_CHECK_DATA(
        rest.size() >= 8 && rest.size() - 8 >= bytes, "{}: cut short at storage {}", path, *key);
    storages.fill(*key, rest.subspan(8, bytes));
    rest = rest.subspan(8 + bytes);
  }
  return tensors_of(value);
}

std::vector<std::uint8_t> start_of(const InputFile& file) {
  std::vector<std::uint8_t> start(std::min<std::uint64_t>(file.size(), kOldMagic.size()));
  file.read(0, start);
  return start;
}

// What is often found in its place.
std::string other_format(Bytes start) {
  const std::string_view text(reinterpret_cast<const char*>(start.data()), start.size());
  const auto begins = [&](const char* magic) { return text.starts_with(magic); };
  if (begins("version https:")) return " (it is a pointer of Git LFS: fetch the file itself)";
  if (begins("<")) return " (it is a web page or XML: download the file itself)";
  if (begins("\x1f\x8b")) return " (it is compressed: unpack it first)";
  if (begins("\x89HDF")) return " (it is HDF5)";
  if (begins("\x80"))
    return " (it is a plain pickle: load it in Python, and torch.save() a dict of its tensors)";
  return "";
}

}  // namespace

bool is_torch_file(const std::string& path) {
  const auto start = start_of(InputFile(path));
  return starts_with(start, kZipMagic) || starts_with(start, kOldMagic);
}

NamedTensors read_torch_file(const std::string& path) {
  const InputFile file(path);
  const auto start = start_of(file);
  if (starts_with(start, kZipMagic)) return read_zip(path, file.size());
  STC_CHECK_DATA(starts_with(start, kOldMagic),
                 "{}: was not written by torch.save{}",
                 path,
                 other_format(start));
  return read_old_form(path, read_file(path));
}

}  // namespace stc::data
