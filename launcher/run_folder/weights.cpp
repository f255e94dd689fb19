#include "launcher/run_folder/weights.h"

#include <filesystem>

#include "data/file.h"
#include "data/folder_listing.h"
#include "data/weights/torch_file.h"
#include "launcher/run_folder/checkpoint.h"
#include "models/published_trunk.h"
#include "monitoring/check.h"
#include "monitoring/log.h"

namespace stc::launcher {
namespace {

namespace fs = std::filesystem;

constexpr char kInput[] = "input";

// By content, as names mislead; what is neither has the error that belongs to its name.
data::SafeTensors read_file_of_weights(const std::string& file) {
  const bool is_torch = data::is_torch_file(file);
  const bool promises_torch =
      data::has_ending(file, {".pth", ".pt", ".tar", ".bin", ".ckpt", ".pkl"});
  if (is_torch || (promises_torch && !data::is_safetensors_file(file)))
    return {data::read_torch_file(file), {}};
  return data::read_safetensors(file);
}

// What the file says itself; a word that is none of ours says nothing.
std::string recorded_input(const data::SafeTensors& content) {
  const auto found = content.metadata.find(kInput);
  if (found == content.metadata.end()) return "";
  return found->second == "rgb" || found->second == "lab" ? found->second : "";
}

// Runs of earlier versions did not record it; a run of step 1 has a section for images in its
// config, one of step 2 for clips. `file` is RUN/weights.safetensors or
// RUN/checkpoints/step-.../model.safetensors.
std::string input_of_run(const fs::path& file) {
  const auto folder = file.parent_path();
  for (const auto& run : {folder, folder.parent_path().parent_path()}) {
    const auto config = run / "config.toml";
    if (!fs::is_regular_file(config)) continue;
    const auto content = data::read_text(config);
    if (content.find("[clips]") != std::string::npos) return "lab";
    if (content.find("[images]") != std::string::npos) return "rgb";
  }
  return "";
}

bool is_ours(const fs::path& file) {
  return file.filename() == "weights.safetensors" || file.filename() == "model.safetensors";
}

}  // namespace

Weights read_weights(const std::string& path, const std::string& prefix) {
  const auto file = weights_file(path);
  const auto content = read_file_of_weights(file);
  auto trunk = models::find_trunk(content.tensors, path, prefix);
  for (const auto& remark : trunk.remarks) log::info("{}", remark);
  auto input = recorded_input(content);
  if (input.empty() && is_ours(file)) input = input_of_run(fs::absolute(file));
  if (input.empty() && !trunk.input.empty())
    log::info(
        "{}: taken for trained on {}, as networks with such names are; `stc import --input` "
        "records another",
        path,
        trunk.input);
  return {std::move(trunk.tensors), trunk.depth, input.empty() ? trunk.input : input};
}

std::map<std::string, std::string> weights_metadata(const std::string& input) {
  std::map<std::string, std::string> metadata = {{"format", "pt"}};
  if (!input.empty()) metadata[kInput] = input;
  return metadata;
}

}  // namespace stc::launcher
