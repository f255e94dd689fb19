#include "models/trunk_differences.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "models/resnet.h"
#include "monitoring/check.h"

namespace stc::models {
namespace {

struct Difference {
  std::string what;  ///< "'conv1.weight' is [64, 3, 3, 3]; expected [64, 3, 7, 7]"
  std::string kind;  ///< what kind of network has such; may be empty
};

bool holds(const std::string& name, const std::string& part) {
  return name.find(part) != std::string::npos;
}

std::string kind_of_foreign(const std::string& name) {
  const struct {
    const char *part, *kind;
  } kinds[] = {
      {".se.", "a network with squeeze-and-excitation"},
      {"_packed_params", "a quantised network"},
      {".zero_point", "a quantised network"},
      {".scale", "a quantised network"},
      {"weight_g", "a network with weight normalisation, which has to be removed first"},
      {"parametrizations", "a network with parametrisations, which have to be removed first"},
      {"weight_mask", "a pruned network; make the pruning permanent first"},
      {"lora_", "a network with LoRA layers; merge them first"},
      {"nonlocal", "a network with non-local blocks"},
      {"conv1.0.", "a ResNet with a deep stem of three convolutions"},
      {"conv_offset", "a network with deformable convolutions"},
  };
  for (const auto& [part, kind] : kinds)
    if (holds(name, part)) return kind;
  if (holds(name, "conv") && name.ends_with(".bias"))
    return "a network whose batch norms are folded into its convolutions, or have other names";
  return "";
}

std::string kind_of_shape(const std::string& ours, at::IntArrayRef is, at::IntArrayRef expected) {
  if (is.size() == 5)
    return text("a 3D network: this kernel covers {} frames, that of a network of images one",
                is[2]);
  if (is.size() != expected.size()) return "";
  if (is.size() != 4) return "";
  if (ours == "conv1.weight") {
    if (is[2] == 3 && is[0] == 64) return "a ResNet with the stem for small images (CIFAR)";
    if (is[2] == 3) return "a ResNet with a deep stem of three convolutions";
    return is[1] != 3 ? text("a network whose input has {} channels, not 3", is[1]) : "";
  }
  if (is[0] > expected[0] && is[1] < is[0] / 2 && is[2] == 3)
    return "a ResNeXt (grouped convolutions)";
  if (is[0] == expected[0] && is[1] < expected[1]) return "a ResNeXt (grouped convolutions)";
  if (is[0] > expected[0]) return "a wide ResNet, or a ResNeXt";
  return is[0] < expected[0] ? "a narrower ResNet" : "";
}

std::vector<Difference> differences_of(const NamedTensors& tensors,
                                       const std::map<std::string, std::string>& file_names,
                                       int depth) {
  const ResNet network(standard_options(depth), /*seed=*/0);
  const bool has_layer4 = tensors.lower_bound("layer4.") != tensors.lower_bound("layer4/");
  auto expected = network.parameters();
  std::ranges::copy(network.buffers(), std::back_inserter(expected));
  std::vector<Difference> differences;
  for (const auto& [ours, value] : expected) {
    const auto found = tensors.find(ours);
    if (found == tensors.end()) {
      if (ours.ends_with("num_batches_tracked")) continue;
      if (ours.starts_with("layer4.") && !has_layer4) continue;
      const auto kind = ours.ends_with("running_mean")
                            ? "a network whose norms have no running statistics (such as "
                              "GroupNorm), or a file of parameters without buffers"
                            : "";
      differences.push_back({text("there is no '{}', expected {}", ours, value.sizes()), kind});
      continue;
    }
    const auto& is = found->second;
    const auto& name = file_names.at(ours);
    if (is.sizes() != value.sizes()) {
      differences.push_back({text("'{}' is {}, expected {}", name, is.sizes(), value.sizes()),
                             kind_of_shape(ours, is.sizes(), value.sizes())});
    } else if (value.is_floating_point() && !is.is_floating_point()) {
      differences.push_back({text("'{}' is of the type {}, expected a floating-point one",
                                  name,
                                  at::toString(is.scalar_type())),
                             "a quantised network"});
    }
  }
  return differences;
}

}  // namespace

void check_trunk(const NamedTensors& tensors,
                 const std::map<std::string, std::string>& file_names,
                 const std::vector<std::string>& foreign,
                 int depth,
                 const std::string& source) {
  constexpr std::size_t kShown = 3;
  std::vector<Difference> differences;
  for (const auto& name : foreign)
    differences.push_back({text("'{}' is no tensor of one", name), kind_of_foreign(name)});
  const auto by_shape = differences_of(tensors, file_names, depth);
  differences.insert(differences.end(), by_shape.begin(), by_shape.end());
  if (differences.empty()) return;
  const auto known =
      std::ranges::find_if(differences, [](const Difference& each) { return !each.kind.empty(); });
  const auto kind = known != differences.end() ? "; it may be " + known->kind : "";
  const auto count = differences.size();
  differences.resize(std::min(count, kShown));
  throw Error(Exit::kBadData,
              text("{}: not quite a ResNet-{}: {}{}{}",
                   source,
                   depth,
                   joined(
                       differences, [](const Difference& each) { return each.what; }, "; "),
                   count > kShown ? text("; and {} more", count - kShown) : "",
                   kind));
}

std::string other_network(const NamedTensors& file) {
  if (file.empty())
    return "; it holds no tensors in dicts (a saved module is not read: save its state_dict())";
  const auto has = [&](const std::string& part) {
    return std::ranges::any_of(file, [&](const auto& each) { return holds(each.first, part); });
  };
  const auto first = text(", the first is '{}'", file.begin()->first);
  const auto are = [&](const char* kind) {
    return text(
        "{}; the names are those of {}, and only ResNet-18 and -50 are supported", first, kind);
  };
  if (has("patch_embed.") || has("cls_token") || has("attn.qkv") || has("class_token") ||
      has("attention.attention"))
    return are("a vision transformer");
  if (has("_packed_params") || has(".zero_point")) return are("a quantised network");
  if (has("dwconv") || has("downsample_layers")) return are("a ConvNeXt");
  if (has("branch2a_w") || has("branch2a_bn"))
    return are("Caffe2's ResNet (convert it to PyTorch's names first)");
  if (has("block1.") || has("stages.0.blocks.0.conv1") || has("root.conv"))
    return are("a ResNet v2 or another backbone");
  if (std::ranges::any_of(file, [](const auto& each) { return each.second.dim() == 5; }))
    return are("a 3D network");
  return first;
}

}  // namespace stc::models
