#include "launcher/run_folder/checkpoint.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "data/crc32c.h"
#include "data/file.h"
#include "launcher/run_folder/weights.h"
#include "monitoring/check.h"
#include "monitoring/json_text.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr char kModel[] = "model.safetensors";
constexpr char kMethod[] = "method.safetensors";
constexpr char kOptimizer[] = "optimizer.safetensors";
constexpr char kState[] = "state.json";
const std::vector<std::string> kFiles{kModel, kMethod, kOptimizer, kState};
constexpr char kUnfinished[] = ".tmp-";

std::string folder_name(std::int64_t step) {
  char name[32];
  std::snprintf(name, sizeof name, "step-%08lld", static_cast<long long>(step));
  return name;
}

// The step in a folder's name; -1 if it is not the name of a checkpoint.
std::int64_t step_in(const std::string& name) {
  long long step = -1;
  if (std::sscanf(name.c_str(), "step-%lld", &step) != 1 || step < 0) return -1;
  return folder_name(step) == name ? step : -1;
}

// Steps of all checkpoints in `folder`, newest first, complete or not.
std::vector<std::int64_t> steps_in(const std::string& folder) {
  std::vector<std::int64_t> steps;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const std::int64_t step = step_in(entry.path().filename().string());
    if (step >= 0) steps.push_back(step);
  }
  std::sort(steps.rbegin(), steps.rend());
  return steps;
}

// MANIFEST of a checkpoint folder: the size and CRC-32C of each file, written last, so that a
// folder with a matching MANIFEST is complete.
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
  if (!fs::exists(path)) return name + " is missing";
  const data::InputFile file(path);
  const auto bytes = expected.at("bytes").get<std::uint64_t>();
  if (file.size() != bytes)
    return text("{} is {} bytes, MANIFEST says {}", name, file.size(), bytes);
  const auto sum = expected.at("crc32c").get<std::uint32_t>();
  if (checksum(file) != sum) return name + " has changed: its checksum is not that of MANIFEST";
  return "";
}

std::string fault_of(const std::string& folder, std::int64_t step) {
  const json manifest = json::parse(data::read_text(folder + kManifest));
  if (manifest.at("format") != kFormat || manifest.at("version") != 1) {
    return "MANIFEST is of another format; it was written by another version of stc";
  }
  if (step >= 0 && manifest.at("step") != step) {
    return text("MANIFEST is of step {}", manifest.at("step").dump());
  }
  for (const std::string& name : kFiles) {
    if (!manifest.at("files").contains(name)) return "MANIFEST does not list " + name;
    std::string fault = file_fault(folder + "/" + name, name, manifest.at("files").at(name));
    if (!fault.empty()) return fault;
  }
  return "";
}

void write_manifest(const std::string& folder, std::int64_t step) {
  nlohmann::ordered_json manifest{{"format", kFormat}, {"version", 1}, {"step", step}};
  for (const std::string& name : kFiles) {
    const data::InputFile file(folder + "/" + name);
    manifest["files"][name] = {{"bytes", file.size()}, {"crc32c", checksum(file)}};
  }
  data::write_text(folder + kManifest, json_text(manifest, 2) + "\n");
}

// Why the folder is not the complete checkpoint of this step ("model.safetensors is 100 bytes,
// MANIFEST says 2000"); empty if it is. A step of -1 accepts that of the MANIFEST.
std::string manifest_fault(const std::string& folder, std::int64_t step) {
  if (!fs::is_directory(folder)) return "it is not a folder";
  if (!fs::exists(folder + kManifest)) return "it has no MANIFEST, so it was never finished";
  try {
    return fault_of(folder, step);
  } catch (const json::exception&) {
    return "MANIFEST is damaged";
  } catch (const Error& unreadable) {
    return unreadable.what();
  }
}

// What a process that was killed left behind.
void remove_unfinished(const std::string& folder) {
  std::error_code none;
  std::vector<fs::path> leftovers;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().filename().string().starts_with(kUnfinished))
      leftovers.push_back(entry.path());
  }
  for (const auto& leftover : leftovers) fs::remove_all(leftover, none);
}

std::string path_of(const std::string& folder, std::int64_t step) {
  return folder + "/" + folder_name(step);
}

struct NewestComplete {
  std::int64_t step = -1;            // -1: none is complete
  std::vector<std::string> skipped;  // newer ones, and why
};

NewestComplete newest_complete(const std::string& folder) {
  NewestComplete newest;
  for (const std::int64_t step : steps_in(folder)) {
    const std::string fault = manifest_fault(path_of(folder, step), step);
    if (fault.empty()) {
      newest.step = step;
      break;
    }
    newest.skipped.push_back(folder_name(step) + ": " + fault);
  }
  return newest;
}

std::uint64_t write_files(const std::string& folder, const Checkpoint& checkpoint) {
  fs::create_directories(folder);
  data::write_safetensors(
      folder + "/" + kModel, checkpoint.model, weights_metadata(checkpoint.input));
  data::write_safetensors(folder + "/" + kMethod, checkpoint.method);
  data::write_safetensors(folder + "/" + kOptimizer, checkpoint.optimizer);
  data::write_text(folder + "/" + kState, checkpoint.state);
  write_manifest(folder, checkpoint.step);
  data::sync_path(folder);
  std::uint64_t bytes = 0;
  for (const auto& file : fs::directory_iterator(folder)) bytes += file.file_size();
  return bytes;
}

// A folder cannot be renamed onto another, so one of the same step (a broken one that was skipped)
// moves aside.
void move_into_place(const std::string& unfinished,
                     const std::string& folder,
                     const std::string& name) {
  const std::string replaced = folder + "/" + kUnfinished + "replaced-" + name;
  const std::string path = folder + "/" + name;
  fs::remove_all(replaced);
  if (fs::exists(path)) fs::rename(path, replaced);
  fs::rename(unfinished, path);
  data::sync_path(folder);
  fs::remove_all(replaced);
}

std::string checkpoint_file(const std::string& folder) {
  const std::int64_t step = step_in(fs::path(folder).filename().string());
  const std::string fault = manifest_fault(folder, step);
  STC_CHECK_DATA(fault.empty(), "checkpoint {} is not complete: {}", folder, fault);
  return folder + "/" + kModel;
}

std::string newest_file(const std::string& checkpoints) {
  const auto [step, skipped] = newest_complete(checkpoints);
  for (const std::string& reason : skipped) log::warning("{}: skipped {}", checkpoints, reason);
  STC_CHECK_DATA(step >= 0,
                 "{} holds no complete checkpoint; train the run until it has saved one",
                 checkpoints);
  return path_of(checkpoints, step) + "/" + kModel;
}

}  // namespace

CheckpointStore::CheckpointStore(const std::string& folder, std::int64_t keep)
    : folder_(folder), keep_(keep) {
  STC_CHECK_USAGE(
      keep >= 2,
      "checkpoint.keep is {}; expected 2 or more, so that one is complete while another is written",
      keep);
}

std::uint64_t CheckpointStore::save(const Checkpoint& checkpoint) {
  std::uint64_t bytes = 0;
  const std::string name = folder_name(checkpoint.step);
  const std::string unfinished = folder_ + "/" + kUnfinished + name;
  try {
    fs::remove_all(unfinished);
    bytes = write_files(unfinished, checkpoint);
    move_into_place(unfinished, folder_, name);
  } catch (const std::exception& cause) {
    std::error_code none;
    fs::remove_all(unfinished, none);
    throw Error(Exit::kFailed,
                text("checkpoint {}/{} was not written, the earlier ones are untouched: {}",
                     folder_,
                     name,
                     cause.what()));
  }
  newest_step_ = checkpoint.step;
  remove_old(checkpoint.step);
  return bytes;
}

// Steps after the saved one were skipped when the run was restored; they do not count as kept.
void CheckpointStore::remove_old(std::int64_t saved_step) {
  std::int64_t kept = 0;
  for (const std::int64_t step : steps_in(folder_)) {
    if (step > saved_step || ++kept <= keep_ || step == restored_step_) continue;
    std::error_code failed;
    fs::remove_all(path_of(folder_, step), failed);
    if (failed) {
      log::warning(
          "old checkpoint {} cannot be removed: {}", path_of(folder_, step), failed.message());
    }
  }
}

CheckpointStore::Restored CheckpointStore::restore() {
  remove_unfinished(folder_);
  auto [step, skipped] = newest_complete(folder_);
  if (step < 0) return {std::nullopt, std::move(skipped)};
  const std::string path = path_of(folder_, step);
  Checkpoint checkpoint;
  checkpoint.step = step;
  checkpoint.model = data::read_safetensors(path + "/" + kModel).tensors;
  checkpoint.method = data::read_safetensors(path + "/" + kMethod).tensors;
  checkpoint.optimizer = data::read_safetensors(path + "/" + kOptimizer).tensors;
  checkpoint.state = data::read_text(path + "/" + kState);
  restored_step_ = newest_step_ = step;
  return {std::move(checkpoint), std::move(skipped)};
}

std::string CheckpointStore::resume_point() const {
  if (newest_step_ < 0) return text("its beginning: {} holds no complete checkpoint", folder_);
  return text("the checkpoint of step {} in {}", newest_step_, folder_);
}

std::string weights_file(const std::string& path) {
  if (!fs::is_directory(path)) return path;
  const fs::path folder = fs::canonical(path);
  if (fs::exists(folder / "MANIFEST") || fs::exists(folder / kModel))
    return checkpoint_file(folder);
  if (fs::exists(folder / "weights.safetensors")) return folder / "weights.safetensors";
  STC_CHECK_DATA(fs::is_directory(folder / "checkpoints"),
                 "{} holds no weights; expected a file by torch.save or of safetensors, a "
                 "checkpoint folder (step-...) or a run folder",
                 path);
  return newest_file(folder / "checkpoints");
}

}  // namespace stc::launcher
