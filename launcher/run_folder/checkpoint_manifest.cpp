#include "launcher/run_folder/checkpoint_manifest.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>

#include "data/crc32c.h"
#include "data/file.h"
#include "monitoring/check.h"

namespace stc::launcher {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr char kManifest[] = "/MANIFEST";
constexpr char kFormat[] = "stc-checkpoint";

std::uint32_t checksum(const data::InputFile& file) {
  std::vector<std::uint8_t> block(std::size_t{4} << 20);
  std::uint32_t sum = 0;
  for (std::uint64_t begin = 0; begin < file.size(); begin += block.size()) {
    const auto length = std::min<std::uint64_t>(block.size(), file.size() - begin);
    file.read(begin, {block.data(), length});
    sum = data::crc32c({block.data(), length}, sum);
  }
  return sum;
}

std::string file_fault(const std::string& path, const std::string& name, const json& expected) {
  if (!std::filesystem::exists(path)) return name + " is missing";
  const data::InputFile file(path);
  const auto bytes = expected.at("bytes").get<std::uint64_t>();
  if (file.size() != bytes)
    return text("{} is {} bytes, MANIFEST says {}", name, file.size(), bytes);
  const auto sum = expected.at("crc32c").get<std::uint32_t>();
  if (checksum(file) != sum) return name + " has changed: its checksum is not that of MANIFEST";
  return "";
}

std::string fault_of(const std::string& folder,
                     std::int64_t step,
                     const std::vector<std::string>& files) {
  const json manifest = json::parse(data::read_text(folder + kManifest));
  if (manifest.at("format") != kFormat || manifest.at("version") != 1) {
    return "MANIFEST is of another format; it was written by another version of stc";
  }
  if (step >= 0 && manifest.at("step") != step) {
    return text("MANIFEST is of step {}", manifest.at("step").dump());
  }
  for (const std::string& name : files) {
    if (!manifest.at("files").contains(name)) return "MANIFEST does not list " + name;
    std::string fault = file_fault(folder + "/" + name, name, manifest.at("files").at(name));
    if (!fault.empty()) return fault;
  }
  return "";
}

}  // namespace

void write_manifest(const std::string& folder,
                    std::int64_t step,
                    const std::vector<std::string>& files) {
  ordered_json manifest{{"format", kFormat}, {"version", 1}, {"step", step}};
  for (const std::string& name : files) {
    const data::InputFile file(folder + "/" + name);
    manifest["files"][name] = {{"bytes", file.size()}, {"crc32c", checksum(file)}};
  }
  data::write_text(folder + kManifest, manifest.dump(2) + "\n");
}

std::string manifest_fault(const std::string& folder,
                           std::int64_t step,
                           const std::vector<std::string>& files) {
  if (!std::filesystem::is_directory(folder)) return "it is not a folder";
  if (!std::filesystem::exists(folder + kManifest))
    return "it has no MANIFEST, so it was never finished";
  try {
    return fault_of(folder, step, files);
  } catch (const json::exception&) {
    return "MANIFEST is damaged";
  } catch (const Error& unreadable) {
    return unreadable.what();
  }
}

}  // namespace stc::launcher
